"""Columns on one scale."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from gleis.monitoring.joint.normal_scores import normal_scores

VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=2, max_size=40, unique=True)


@given(VALUES)
def test_they_are_the_normal_quantiles_of_ranks(values):
    scores = normal_scores(np.array(values)[:, None], np.random.default_rng(0))[:, 0]
    expected = norm.ppf((rankdata(values) - 0.5) / len(values))
    np.testing.assert_allclose(scores, expected, atol=1e-9)


@given(VALUES)
def test_what_a_column_does_alone_is_gone(values):
    rows = np.array(values)[:, None]
    first, second = (normal_scores(r, np.random.default_rng(3)) for r in (rows, rows**3 * 2 + 7))
    order = np.argsort(rows[:, 0])
    assert (np.diff(first[order, 0]) > 0).all()
    assert sorted(first[:, 0]) == sorted(second[:, 0])


def test_missing_values_rank_below_and_ties_are_broken_at_random():
    rows = np.array([[1.0, 5.0], [1.0, np.nan], [1.0, 4.0], [1.0, np.nan]])
    drawn = {tuple(normal_scores(rows, np.random.default_rng(s))[:, 0]) for s in range(20)}
    assert len(drawn) > 5
    scores = normal_scores(rows, np.random.default_rng(0))[:, 1]
    assert max(scores[1], scores[3]) < scores[2] < scores[0]
