from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.config.settings import ProjectSettings, Settings, SplitSettings
from gleis.contracts.profile import Reference
from gleis.data.profile import bin_counts
from gleis.packaging.outliers.scorer import outlier_scorer
from gleis.training.prepare import prepare
from gleis.training.reference import make_background, make_outliers, make_reference


@pytest.mark.parametrize(
    ("rate", "method"),
    [(0.01, "mahalanobis"), (0.05, "mahalanobis"), (0.01, "isolation_forest"), (0.01, "ecod")],
)
def test_as_many_training_rows_are_outliers_as_was_declared(rate, method):
    draw = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            "size": draw.normal(size=2000),
            "shop": draw.choice(["a", "b", "c"], 2000, p=[0.9, 0.09, 0.01]),
            "y": draw.normal(size=2000),
        }
    )
    project = ProjectSettings(name="p", module="p", task="regression", target="y")
    prepared = prepare(rows, Settings(project=project, split=SplitSettings(by="random", test=0.2)))
    model = make_outliers(prepared, rate, method, seed=3)
    train = prepared.features[prepared.split.train]
    scores = outlier_scorer(model).score({name: train[name].to_list() for name in train.columns})
    assert (scores > model.threshold).mean() == pytest.approx(rate, abs=2 / 1600)
    assert model.rate == rate


def test_rows_for_explanations_are_training_rows_by_seed():
    draw = np.random.default_rng(1)
    rows = pl.DataFrame({"size": np.arange(3000.0), "y": draw.normal(size=3000)})
    project = ProjectSettings(name="p", module="p", task="regression", target="y")
    prepared = prepare(rows, Settings(project=project, split=SplitSettings(by="random", test=0.2)))
    found = make_background(prepared, 7)
    assert len(found["size"]) == 1000
    assert set(found["size"]) <= set(rows["size"][prepared.split.train])
    assert found == make_background(prepared, 7)
    assert found != make_background(prepared, 8)


@pytest.mark.parametrize("every", ["day", "week"])
def test_the_reference_is_kept_by_season_where_one_is_set(every):
    draw = np.random.default_rng(2)
    monday = datetime(2024, 1, 1)  # naive times are UTC
    rows = pl.DataFrame(
        {
            "at": [monday + timedelta(hours=i) for i in range(2000)],
            "size": draw.normal(size=2000),
            "y": draw.normal(size=2000),
        }
    )
    project = ProjectSettings(name="p", module="p", task="regression", target="y", time="at")
    prepared = prepare(rows, Settings(project=project, split=SplitSettings(by="time", test=0.2)))
    scores = np.zeros(len(prepared.split.test))
    found = make_reference(prepared, scores, every)
    plain = make_reference(prepared, scores)
    assert plain.seasons is None
    assert msgspec.structs.replace(found, seasons=None) == plain
    for season, sketch in (
        (found.seasons.features, found.features.columns["size"]),
        (found.seasons.scores, found.scores.columns["score"]),
        (found.seasons.loss, found.loss),
    ):
        assert season.every == every
        (table,) = season.counts.values()
        assert (np.sum(table, axis=0) == bin_counts(sketch)).all()
    assert len(found.seasons.features.counts["size"]) == (24 if every == "day" else 33)
    assert len(found.seasons.loss.counts["loss"]) < 9
    again = msgspec.json.decode(msgspec.json.encode(found), type=Reference)
    assert again == found


def test_the_reference_carries_what_performance_is_estimated_by():
    draw = np.random.default_rng(2)
    size = draw.normal(size=2000)
    start = datetime(2024, 1, 1)
    rows = pl.DataFrame(
        {
            "size": size,
            "at": [start + timedelta(hours=i) for i in range(2000)],
            "y": size + draw.normal(size=2000),
        }
    )
    project = ProjectSettings(name="p", module="p", task="regression", target="y", time="at")
    split = SplitSettings(by="time", test=0.25)
    prepared = prepare(rows, Settings(project=project, split=split))
    test = prepared.split.test
    found = make_reference(prepared, size[test])
    assert found.no_estimation is None
    assert sum(found.estimation.rows) == len(test)
    assert found.estimation.days.count == 22
    assert np.dot(found.estimation.rows, found.estimation.squared) / len(test) == pytest.approx(
        found.loss.mean
    )
    few = prepare(rows[:300], Settings(project=project, split=split))
    assert make_reference(few, size[few.split.test]).no_estimation == (
        "75 test rows are too few; it takes 100"
    )
