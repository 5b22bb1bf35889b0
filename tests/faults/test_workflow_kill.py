from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.run import Run
from gleis.store.home import Home
from small_projects import make_shifting

STEPS = [
    "data",
    "baseline",
    "plan",
    "baseline: examine",
    "baseline: judge",
    "baseline: package",
    "baseline: register",
    "baseline: promote",
    "fit",
    "examine",
    "judge",
    "package",
    "register",
    "promote",
]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_in_every_step_it_resumes_and_promotes_once(tmp_path, moment):
    """SIGKILL in each step in turn, before its work or after it but before the checkpoint."""
    folder, died = make_shifting(tmp_path / "p"), tmp_path / "died"
    script = Path(__file__).with_name("dying_workflow.py")
    command = [sys.executable, str(script), str(folder), str(died), moment]
    for _ in STEPS:
        killed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    last = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert last.returncode == 0, last.stderr
    assert last.stdout.split() == ["done", "2", "True"]
    assert died.read_text().splitlines() == STEPS
    check_once(folder)


def check_once(folder):
    home = Home(folder / ".gleis")
    facts = home.facts
    assert facts.verify() > 0
    versions = [msgspec.json.decode(body, type=Version) for body in facts.all("version")]
    assert [version.number for version in versions] == [1, 2]
    deployments = [msgspec.json.decode(body, type=Deployment) for body in facts.all("deployment")]
    champions = [d.version.number for d in deployments if d.alias == "champion"]
    assert champions == [1, 2]
    runs = {msgspec.json.decode(body, type=Run).id for body in facts.all("run")}
    assert len(runs) == 2
    assert len(list(facts.all("dataset"))) == 1
    assert len(list(home.packages.iterdir())) == 2
    home.close()
