from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from gleis.evidence.calibration import calibration_bins


def test_equals_scikit_learn():
    rng = np.random.default_rng(0)
    scores = rng.random(1000)
    y = (rng.random(1000) < scores).astype(int)
    observed, predicted = calibration_curve(y, scores, n_bins=10, strategy="quantile")
    bins = calibration_bins(y, scores)
    assert [b.rows for b in bins] == [100] * 10
    np.testing.assert_allclose([b.observed for b in bins], observed, atol=1e-12)
    np.testing.assert_allclose([b.predicted for b in bins], predicted, atol=1e-12)


@given(
    scores=st.lists(st.integers(0, 12), min_size=1, max_size=80),
    n_bins=st.integers(1, 15),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_laws(scores, n_bins, seed):
    scores = np.array(scores) / 12
    y = np.random.default_rng(seed).integers(0, 2, len(scores))
    bins = calibration_bins(y, scores, n_bins)
    assert 1 <= len(bins) <= n_bins
    assert sum(b.rows for b in bins) == len(y)
    assert sum(b.rows * b.observed for b in bins) == pytest.approx(y.sum())
    assert sum(b.rows * b.predicted for b in bins) == pytest.approx(scores.sum())
    for b in bins:
        assert b.low - 1e-12 <= b.predicted <= b.high + 1e-12
        # Equal scores share a bin: it holds every row between its ends.
        assert ((scores >= b.low) & (scores <= b.high)).sum() == b.rows
    assert all(a.high < b.low for a, b in pairwise(bins))
