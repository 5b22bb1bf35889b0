"""Rows of now against rows of then."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from gleis.contracts.errors import DataError
from gleis.monitoring.joint.compare import Sides, _auc, compare_sides, compare_windows
from gleis.monitoring.joint.windows import compare_together


def rows(rng, n, correlation, shift=0.0):
    x = rng.normal(size=(n, 5))
    x[:, 1] = correlation * x[:, 0] + np.sqrt(1 - correlation**2) * x[:, 1]
    x[:, 4] = rng.integers(0, 3, n)
    x[rng.random(n) < 0.05, 3] = np.nan
    return x + shift


@pytest.mark.parametrize("method", ["energy", "classifier"])
def test_the_level_holds_whatever_columns_do_alone(method):
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        learn = Sides(rows(rng, 150, 0.5, shift=2.0), rows(rng, 150, 0.5))
        test = Sides(rows(rng, 150, 0.5, shift=2.0) * 3, rows(rng, 150, 0.5))
        found.append(compare_sides(learn, test, method, rng).p_value)
    assert np.mean(np.array(found) < 0.05) <= 0.1
    assert np.mean(np.array(found) < 0.5) <= 0.65


@pytest.mark.parametrize("method", ["energy", "classifier"])
def test_another_correlation_is_found_and_named(method):
    rng = np.random.default_rng(1)
    told = compare_windows(rows(rng, 800, -0.3), rows(rng, 800, 0.5), method)
    assert told.p_value < 1e-6
    assert told.auc > 0.6
    assert told.pair == (0, 1)
    assert told.before > 0.4
    assert told.after < -0.2


def test_auc_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    now, then = rng.integers(0, 9, 50) / 1.0, rng.integers(2, 7, 70) / 1.0
    expected = roc_auc_score([1] * 50 + [0] * 70, np.concatenate((now, then)))
    assert _auc(now, then) == pytest.approx(expected, abs=1e-12)


def test_two_columns_without_any_difference_are_no_evidence():
    same = np.ones((60, 2))
    told = compare_sides(Sides(same, same), Sides(same, same), "energy", np.random.default_rng(0))
    assert told.p_value > 1e-6


def test_one_column_has_no_pair():
    rng = np.random.default_rng(0)
    told = compare_windows(rng.normal(size=(200, 1)), rng.normal(size=(200, 1)), "energy")
    assert told.pair is None


@pytest.mark.parametrize(
    ("now", "then", "says"),
    [
        (np.zeros((99, 2)), np.zeros((200, 2)), "Fewer than 50 rows"),
        (np.zeros((200, 2)), np.zeros((200, 3)), "different columns"),
    ],
)
def test_what_cannot_be_compared_is_refused(now, then, says):
    with pytest.raises(DataError, match=says):
        compare_windows(now, then, "energy")


def test_tables_with_words_and_missing_values():
    rng = np.random.default_rng(5)
    kind = rng.choice(["a", "b", "c"], 600)
    size = np.array([{"a": 0, "b": 1, "c": 2}[k] for k in kind]) + rng.normal(0, 0.5, 600)
    then = pl.DataFrame({"kind": kind, "size": size, "on": rng.random(600) < 0.5})
    now = then.with_columns(pl.col("size").shuffle(seed=1), pl.lit(None).alias("on"))
    found = compare_together(then, now, ["kind", "size", "on"])
    assert found.pair == ("kind", "size")
    assert found.p_value < 0.001
    assert found.rows == (600, 600)
