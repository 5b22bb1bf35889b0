from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from evidence.leakage.planted_leaks import honest, settings_of, sides_of
from gleis.evidence.leakage.alone import predict_alone
from gleis.evidence.leakage.numbers import rank_correlations


def test_the_order_of_a_number_is_measured_as_scikit_learn_does():
    rows = honest().with_columns(x0=-pl.col("x0"))
    alone = predict_alone(sides_of(rows, settings_of()), 0)
    own = roc_auc_score(rows["y"].to_numpy(), -rows["x0"].to_numpy())
    assert own <= alone.quality["x0"] <= own + 0.01


def test_bins_see_what_is_not_monotone():
    alone = predict_alone(sides_of(honest(), settings_of()), 0)
    rows = honest()
    assert alone.quality["x1"] > 0.6 > roc_auc_score(rows["y"].to_numpy(), rows["x1"].to_numpy())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("task", "most"), [("binary", 0.57), ("multiclass", 0.46), ("regression", 0.02)]
)
def test_noise_and_names_predict_nothing(seed, task, most):
    rows = honest(seed=seed, task=task).with_columns(name=pl.format("n{}", pl.int_range(pl.len())))
    alone = predict_alone(sides_of(rows, settings_of(task)), seed)
    assert alone.quality["name"] < most
    assert alone.quality["x3"] < most


def test_spearman_is_scipys():
    rows = honest(task="regression")
    alone = predict_alone(sides_of(rows, settings_of("regression")), 0)
    want = abs(spearmanr(rows["x0"], rows["y"]).statistic)
    assert alone.ordered["x0"] == pytest.approx(want, abs=1e-12)
    columns = {name: rows[name].cast(pl.Float64).to_numpy() for name in ("x0", "count", "y")}
    theirs = spearmanr(np.column_stack(list(columns.values()))).statistic
    assert rank_correlations(columns) == pytest.approx(theirs, abs=1e-12)
