from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from gleis.contracts.errors import DataError
from gleis.evidence.mitigation.held_out import held_out_scores


def test_no_row_is_scored_by_a_fit_that_saw_it():
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"x": rng.normal(size=200)})
    labels, codes = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    nearest = KNeighborsClassifier(n_neighbors=1)
    seen = nearest.fit(table, labels).predict_proba(table)[:, 1]
    assert (seen == labels).all(), "the nearest row of a row that was seen is itself"
    held = held_out_scores(nearest, table, labels, codes, 5, 0)
    assert 0.3 < (held == labels).mean() < 0.7
    np.testing.assert_array_equal(held, held_out_scores(nearest, table, labels, codes, 5, 0))
    in_pandas = held_out_scores(nearest, table.to_pandas(), labels, codes, 5, 0)
    np.testing.assert_array_equal(held, in_pandas)


def test_a_class_that_one_fold_takes_away_is_a_clear_error():
    labels = np.zeros(50, dtype=np.int64)
    labels[7] = 1
    table = pl.DataFrame({"x": np.arange(50.0)})
    with pytest.raises(DataError, match=r"too few training rows of a class.*'1 of 50'"):
        held_out_scores(LogisticRegression(), table, labels, labels * 0, 5, 0)
