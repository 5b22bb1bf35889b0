"""Projects of a team, small enough to be pushed and pulled in a blink."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from evidence_of_everything import run_of
from gleis.config.data_settings import DatasetSettings
from gleis.config.settings import ProjectSettings, Settings
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.dataset import Provenance
from gleis.contracts.evidence import Evidence
from gleis.lifecycle.project import Project
from gleis.registry.versions import Registry

NOW = datetime(2013, 6, 1, tzinfo=UTC)


def member(folder: Path, remote: str | None, name: str = "shop", **settings: Any) -> Project:
    """Open a project that shares a remote; a new one has loaded nothing yet."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Settings(
        project=ProjectSettings(name=name, module="shop", task="binary", target="bought"),
        datasets={"weather": DatasetSettings(subject="day")},
        remote=remote,
        **settings,
    )
    return Project(folder, found, SimulatedClock(NOW))


def registry(project: Project) -> Registry:
    """Return its versions, without MLflow's mirror of them."""
    return Registry(project.home, "shop", project.clock)


def load(project: Project, *values: int, name: str = "weather"):
    """Make a dataset version with these rows behind the others."""
    rows = pl.DataFrame({"day": list(values), "rain": [value / 7 for value in values]})
    made = Provenance(
        source="weather.csv", since=None, until=None, loaded_at=NOW, loaded_by="ann@here", code="c"
    )
    return project.bench.dataset(name).append(rows, made)


def values(project: Project, ref: str) -> list[int]:
    """Return the rows of a dataset version, as ``load`` was given them."""
    return project.data.read(ref)["day"].to_list()


def train(project: Project, seed: int):
    """Record a run with an artifact, and register a package of it."""
    model = project.home.artifacts.put(b"weights %d" % seed)
    run = f"r20130601-{seed:06d}-abcdef"
    evidence = Evidence(rows=2, figures={}, baseline={}, gain={})
    record = run_of(evidence, id=run, model=model, seed=seed)
    project.home.facts.append("run", run, msgspec.json.encode(record), NOW)
    digest = hashlib.sha256(b"package %d" % seed).hexdigest()
    folder = project.home.packages / digest[:16]
    (folder / "tests").mkdir(parents=True)
    files = {"card.md": b"# Model %d" % seed, "tests/rows.json": b"[]"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: {"sha256": hashlib.sha256(body).hexdigest()} for name, body in files.items()}
    (folder / "manifest.json").write_text(json.dumps({"files": listed}))
    (folder / "model.sig").write_bytes(b"signed")
    return registry(project).register(f"packages/{digest[:16]}", digest, run, passed=True)
