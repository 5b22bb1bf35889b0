from __future__ import annotations

import numpy as np

from gleis.evidence.weighted import mean_of, ratio, sum_of, sums_by

rng = np.random.default_rng(0)
TERMS, WEIGHTS = rng.normal(size=50), rng.integers(0, 4, (7, 50)).astype(float)


def test_ratio_is_nan_without_weight():
    np.testing.assert_array_equal(ratio(np.array([1.0, 0.0]), np.zeros(2)), [np.nan, np.nan])


def test_sums_and_means_are_numpys():
    np.testing.assert_allclose(sum_of(TERMS)(WEIGHTS), WEIGHTS @ TERMS)
    means = [np.average(TERMS, weights=w) for w in WEIGHTS]
    np.testing.assert_allclose(mean_of(TERMS)(WEIGHTS), means)


def test_sums_by_group_add_up():
    groups = rng.integers(0, 5, 50)
    sums = sums_by(groups, 6, TERMS)(WEIGHTS)
    assert sums.shape == (7, 6)
    np.testing.assert_allclose(sums.sum(axis=1), WEIGHTS @ TERMS)
    np.testing.assert_allclose(sums[:, 2], WEIGHTS[:, groups == 2] @ TERMS[groups == 2])
    assert (sums[:, 5] == 0).all()
