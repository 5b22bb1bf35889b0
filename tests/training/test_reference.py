from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gleis.config.settings import ProjectSettings, Settings, SplitSettings
from gleis.packaging.outliers.scorer import outlier_scorer
from gleis.training.prepare import prepare
from gleis.training.reference import make_background, make_outliers


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_as_many_training_rows_are_outliers_as_was_declared(rate):
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
    model = make_outliers(prepared, rate)
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
