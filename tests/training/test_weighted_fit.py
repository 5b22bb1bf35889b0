from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gleis.config.settings import Settings
from gleis.config.validate import validate
from gleis.contracts.errors import ConfigError, DataError, ProjectError
from gleis.data.columns import feature_names
from gleis.lifecycle.project import Project
from gleis.training.prepare import prepare
from gleis.training.weighted_fit import fit_weights

SETTINGS = msgspec.convert(
    {"project": {"name": "p", "module": "p", "task": "binary", "target": "late", "weight": "w"}},
    Settings,
)
UNWEIGHTED = msgspec.structs.replace(
    SETTINGS, project=msgspec.structs.replace(SETTINGS.project, weight=None)
)
MODULE = """
import polars as pl
from sklearn.linear_model import LogisticRegression

def load(since, until):
    return pl.read_parquet("{folder}/rows.parquet")

def build_model(params):
    return LogisticRegression()
"""
TOML = """
[project]
name = "p"
module = "p"
task = "binary"
target = "late"
weight = "w"
[evidence]
slices = ["part"]
bootstrap = 20
"""


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pl.DataFrame(
        {
            "x": x,
            "z": rng.normal(size=n),
            "part": rng.choice([1.0, 2.0], n),
            "late": (x + rng.normal(size=n) > 0).astype(int),
            "w": rng.uniform(0.5, 3, n),
        }
    )


def test_the_weight_is_no_feature():
    assert feature_names(rows().columns, SETTINGS) == ("x", "z", "part")


def test_the_fit_takes_the_weights_of_the_training_rows():
    prepared = prepare(rows(), SETTINGS)
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    given = fit_weights(estimator, prepared)
    (weights,) = given.values()
    assert list(given) == ["logisticregression__sample_weight"]
    assert weights.mean() == pytest.approx(1.0)
    expected = prepared.rows["w"].to_numpy()[prepared.split.train]
    np.testing.assert_allclose(weights, expected / expected.mean())
    assert fit_weights(estimator, prepare(rows(), UNWEIGHTED)) == {}
    with pytest.raises(ProjectError, match=r"project.weight gives rows weights, .* takes none"):
        fit_weights(KNeighborsClassifier(), prepared)


@pytest.mark.parametrize("wrong", [0.0, -1.0, None, float("inf")])
def test_a_weight_that_is_none(wrong):
    frame = rows().with_columns(w=pl.when(pl.int_range(400) == 7).then(wrong).otherwise("w"))
    with pytest.raises(
        DataError, match="Weight column w must be a number above 0 in every row; 1 of"
    ):
        prepare(frame, SETTINGS)
    with pytest.raises(DataError, match="Weight column w"):
        prepare(rows().with_columns(w=pl.lit("heavy")), SETTINGS)


def test_settings_that_cannot_be_together():
    fairness = msgspec.convert(
        {"protected": ["sex"], "mitigate": "reweighing"}, type(SETTINGS.fairness)
    )
    with pytest.raises(ConfigError, match="cannot both say what a row counts"):
        validate(msgspec.structs.replace(SETTINGS, fairness=fairness))
    project = msgspec.structs.replace(SETTINGS.project, id="w")
    with pytest.raises(ConfigError, match="must be different columns: 'w'"):
        validate(msgspec.structs.replace(SETTINGS, project=project))


def test_a_run_is_fitted_and_measured_by_weights(tmp_path):
    frame = rows(1500)
    frame.write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "p.py").write_text(MODULE.format(folder=tmp_path))
    (tmp_path / "gleis.toml").write_text(TOML)
    project = Project.open(tmp_path)
    run = project.run().run
    prepared = project.bench.trainer.prepare(project.data.get("latest"))
    train, test = prepared.split.train, prepared.split.test
    x, y = prepared.features.to_numpy(), prepared.target
    weights = prepared.weights
    own = LogisticRegression().fit(x[train], y[train], weights[train] / weights[train].mean())
    scores = own.predict_proba(x[test])[:, 1]
    brier = np.average((scores - y[test]) ** 2, weights=weights[test])
    assert run.evidence.figures["brier"].value == pytest.approx(brier, rel=1e-9)
    at = prepared.rows["part"].to_numpy()[test] == 1.0
    part = next(part for part in run.evidence.slices if part.value == "1.0")
    sliced = np.average(((scores - y[test]) ** 2)[at], weights=weights[test][at])
    assert part.figures["brier"].value == pytest.approx(sliced, rel=1e-9)
    assert any("Kish" in note for note in run.evidence.notes)
    project.home.close()
