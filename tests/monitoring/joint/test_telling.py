"""Telling now from then, held against published packages."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.kernel_ridge import KernelRidge

from gleis.monitoring.joint.telling import energy_witness, kernel_classifier, learn_telling

RNG = np.random.default_rng(0)
NOW, THEN, ASKED = RNG.normal(0.5, 1, (60, 4)), RNG.normal(0, 2, (80, 4)), RNG.normal(size=(30, 4))


def test_the_witness_is_the_difference_of_mean_distances():
    expected = cdist(ASKED, THEN).mean(axis=1) - cdist(ASKED, NOW).mean(axis=1)
    np.testing.assert_allclose(energy_witness(NOW, THEN)(ASKED), expected, atol=1e-9)


def test_the_classifier_is_kernel_ridge_regression():
    rows = np.concatenate((NOW, THEN))
    sides = np.concatenate((np.ones(60), -np.ones(80)))
    kernel = (1 + rows @ rows.T / 4) ** 2
    alpha = 0.003 * 140 * np.mean(np.diag(kernel))
    oracle = KernelRidge(alpha=alpha, kernel="poly", degree=2, gamma=1 / 4, coef0=1)
    expected = oracle.fit(rows, sides).predict(ASKED)
    np.testing.assert_allclose(kernel_classifier(NOW, THEN)(ASKED), expected, atol=1e-9)


@pytest.mark.parametrize("method", ["energy", "classifier"])
def test_rows_like_now_get_more(method):
    tell = learn_telling(NOW, THEN, method)
    fresh = np.random.default_rng(1)
    now, then = fresh.normal(0.5, 1, (500, 4)), fresh.normal(0, 2, (500, 4))
    assert tell(now).mean() > tell(then).mean()
