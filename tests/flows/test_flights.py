"""The demo on real flights, as far as the first retraining; then what it left is looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from gleis import Project
from gleis.packaging.load import load_package
from gleis.packaging.verify import verify
from mlflow_uris import mlflow_at

pytestmark = pytest.mark.slow  # test_whole_loop.py makes the same way with a small project


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flights") / "punctuality"
    command = [sys.executable, "-m", "gleis", "demo", "--folder", str(folder), "--json"]
    done = subprocess.run(
        [*command, "--until", "2013-05-31T23:00"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


@pytest.fixture(scope="module")
def project(demo):
    project = Project.open(demo[0])
    yield project
    project.home.close()


def test_policies_side_by_side(demo):
    policies = {p["policy"]: p for p in demo[1]["backtest"]["policies"]}
    assert set(policies) == {"never", "monthly", "project"}
    assert len({p["rows"] for p in policies.values()}) == 1
    assert policies["never"]["retrainings"] == 0
    assert policies["monthly"]["retrainings"] == 1
    for policy in policies.values():
        assert 0.4 < policy["figures"]["log_loss"] < 0.6
        assert 0.6 < policy["figures"]["roc_auc"] < 0.75


def test_the_alarm_is_about_spring(demo):
    own = next(p for p in demo[1]["backtest"]["policies"] if p["policy"] == "project")
    drift = [alarm for alarm in own["alarms"] if alarm["kind"] == "drift"]
    assert [alarm["subject"] for alarm in drift] == ["temp"]
    assert drift[0]["confirmed"] is True
    assert "at most 1 false alarm per year" in drift[0]["message"]
    assert own["retrainings"] == 1


def test_the_heuristic_is_version_one(project):
    versions = project.registry.versions()
    assert project.registry.get("baseline").number == 1
    assert [version.number for version in versions] == [1, 2, 3]
    assert project.find_run("v1").kind == "baseline"
    gain = project.find_run("v2").evidence.gain["log_loss"]
    assert gain.low > 0.05


def test_rows_without_a_label_are_kept_out_and_counted(project):
    run = project.find_run("v2")
    assert run.dataset.unlabelled == 2878
    assert run.train_rows + run.test_rows == run.dataset.labelled == 77_681
    assert any("2,878 rows have no label" in note for note in run.evidence.notes)


def test_the_record_is_enough_to_repeat_the_run(project):
    run = project.find_run("v2")
    assert len(run.code.reached) == 64
    assert "scikit-learn==" in project.home.artifacts.get(run.environment.lock).decode()
    assert run.seeds["histgradientboostingclassifier__random_state"]
    assert {"fit", "examine"} <= set(run.durations)
    assert run.package
    assert run.tracking
    again = project.reproduce("v2")
    assert again.same_model
    assert again.largest_difference == 0


def test_the_package_stands_alone(project):
    version = project.registry.get("champion")
    path = project.registry.path(version)
    assert verify(path, version.digest, project.bench.trust).ok
    names = {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}
    assert {"MLmodel", "contract.json", "reference.json", "baseline.json", "card.md"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    assert "late" in (path / "card.md").read_text()


def test_mlflow_loads_the_champion(project):
    version = project.registry.get("champion")
    package = load_package(project.registry.path(version), version.digest, project.bench.trust)
    with mlflow_at(project.home.tracking_uri):
        model = mlflow.pyfunc.load_model("models:/punctuality@champion")
    rows = pd.DataFrame(package.examples.features)
    assert np.allclose(model.predict(rows), package.examples.scores, rtol=0, atol=1e-12)


def test_what_was_live_on_the_first_of_may(project):
    live = project.registry.deployments.live_at(datetime(2013, 5, 1, 12, tzinfo=UTC))
    assert live.version.number == 2
    first = project.registry.deployments.history("champion")[0]
    assert first.version.number == 1


def test_the_ledger_is_unbroken(project):
    assert project.home.facts.verify() > 20


def test_the_report_needs_no_network(demo):
    text = Path(demo[1]["report"]).read_text()
    assert 'src="http' not in text
    assert "vegaEmbed" in text
    assert "monthly" in text
