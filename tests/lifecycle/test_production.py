"""Answers of a service, matured, become what the next model is trained on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gleis.contracts.errors import ConfigError
from gleis.contracts.prediction import Batch, Label
from gleis.lifecycle.data.ingest import ingest
from gleis.lifecycle.project import Project

TOML = """
[project]
name = "shop"
module = "shop"
task = "binary"
target = "late"
id = "parcel"
time = "sent"
label_delay = "6h"
weight = "weight"

[features]
exclude = ["answered_at", "label_known_at", "prediction_id", "route", "model_version"]

[datasets.production]
from = "log"
at_least = 150
"""
MODULE = """
import gleis
from sklearn.linear_model import LogisticRegression

def load(since, until):
    return gleis.table("production", since, until).collect()

def build_model(params):
    return LogisticRegression()
"""
START = datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "gleis.toml").write_text(TOML)
    (tmp_path / "shop.py").write_text(MODULE)
    project = Project.open(tmp_path, as_of=START + timedelta(days=3))
    yield project
    project.home.close()


def serve(project, hours, seed):
    """Log an answer an hour of each of two routes, and label most of one and few of the other."""
    rng = np.random.default_rng(seed)
    log = project.home.log
    for hour in hours:
        at = START + timedelta(hours=hour)
        for version, role, n, labelled in ((1, "champion", 8, 2), (2, "challenger", 2, 2)):
            weights = rng.uniform(0, 10, n)
            batch = Batch(
                at=at,
                version=version,
                digest="d" * 64,
                fallback=False,
                rows=n,
                features={"kilos": weights.tolist()},
                scores=[0.5] * n,
                entities=[f"{hour}-{role}-{row}" for row in range(n)],
                times=[at] * n,
                flags={},
                role=role,
                share=0.8 if role == "champion" else 0.2,
            )
            ids = log.append([batch])[0]
            late = rng.random(n) < weights / 10
            known = at + timedelta(hours=2)
            log.label(
                [
                    Label(value=int(late[row]), prediction_id=ids[row], at=known)
                    for row in range(labelled)
                ],
                known,
            )


def test_answers_become_the_next_training_data(project):
    serve(project, range(40), seed=1)
    found = ingest(project.bench, "production")
    (version,) = found.made
    assert (version.label, version.rows) == ("production@v1", 160)
    assert version.provenance.note == "160 of 400 answers have a label (40%)"
    rows = project.data.read("production@v1")
    assert rows["weight"].sum() == pytest.approx(400)
    assert (rows["label_known_at"] > rows["sent"]).all()

    run = project.run().run
    assert project.data.get("latest").provenance.tables == ("production@v1",)
    assert any("Kish" in note for note in run.evidence.notes)


def test_a_version_waits_for_enough_answers_and_takes_each_once(project):
    serve(project, range(30), seed=1)
    waits = ingest(project.bench, "production")
    assert waits.made == ()
    assert waits.left[0].reason == (
        "120 of 300 answers have a label (40%) that matured since; a version takes 150 (at_least)"
    )
    serve(project, range(30, 50), seed=2)
    (version,) = ingest(project.bench, "production").made
    assert version.rows == 200
    again = ingest(project.bench, "production")
    assert again.made == ()
    assert "no answer has matured since; each waits 6 h for its label" in again.left[0].reason
    assert project.data.read("production@v1")["prediction_id"].n_unique() == 200


def test_at_least_is_for_the_log(tmp_path):
    (tmp_path / "gleis.toml").write_text(TOML.replace('from = "log"', 'from = "rows.csv"'))
    (tmp_path / "shop.py").write_text(MODULE)
    with pytest.raises(ConfigError, match=r"at_least is for from = .log."):
        Project.open(tmp_path)
