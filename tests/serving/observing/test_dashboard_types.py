"""Dashboards have the types that Grafana publishes for them."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gleis.serving.observing.files import dashboards
from gleis.serving.observing.stack import Stack

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("GLEIS_GRAFANA_TYPES", Path.home() / ".cache/gleis-grafana-types"))
"""Where ``npm install`` of ``package.json`` beside this file was run; ``.ci/run`` does."""
MODULES = CACHE / "node_modules"

WRONG = {
    "unknown-option": lambda panel: panel["options"].update(colour="blue"),
    "unknown-mode": lambda panel: panel["options"]["tooltip"].update(mode="several"),
    "missing-option": lambda panel: panel["options"].pop("legend"),
    "unknown-custom": lambda panel: panel["fieldConfig"]["defaults"]["custom"].update(dash=True),
    "text-for-a-number": lambda panel: panel["gridPos"].update(w="12"),
    "unknown-panel": lambda panel: panel.update(type="graph"),
    "no-query": lambda panel: panel["targets"][0].pop("expr"),
    "unknown-format": lambda panel: panel["targets"][0].update(format="buckets"),
}


def first(dashboard, kind):
    return next(panel for panel in dashboard["panels"] if panel["type"] == kind)


@pytest.mark.skipif(
    not (MODULES / "typescript").is_dir() or shutil.which("node") is None,
    reason="needs node, and npm install of tests/serving/observing/package.json",
)
def test_dashboards_compile_against_grafanas_types_and_wrong_ones_do_not(tmp_path):
    (tmp_path / "node_modules").symlink_to(MODULES, target_is_directory=True)
    shutil.copy(HERE / "dashboard_types.ts", tmp_path)
    made = {
        f"{name}-{task}": found
        for task in ("classes", "values")
        for name, found in dashboards(
            Stack(model="flights", probabilities=task == "classes")
        ).items()
    }
    for name, spoil in WRONG.items():
        spoilt = copy.deepcopy(made["service-classes"])
        spoil(first(spoilt, "timeseries"))
        made[f"wrong-{name}"] = spoilt
    for name, found in made.items():
        (tmp_path / f"{name}.ts").write_text(
            "import type { GleisDashboard } from './dashboard_types';\n"
            f"export const made: GleisDashboard = {json.dumps(found, indent=1)};\n"
        )
    settings = {
        "compilerOptions": {
            "strict": True,
            "noEmit": True,
            "target": "es2022",
            "module": "preserve",
            "moduleResolution": "bundler",
            "types": [],
            "preserveSymlinks": True,
        },
        "include": ["*.ts"],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
    compiler = MODULES / "typescript" / "bin" / "tsc"
    done = subprocess.run(
        ["node", compiler, "--project", tmp_path, "--pretty", "false"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    errors = set(re.findall(r"^([\w-]+)\.ts\(", done.stdout, re.MULTILINE))
    assert errors == {f"wrong-{name}" for name in WRONG}, done.stdout[-4000:] + done.stderr
