from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from gleis.evidence.explain.local_fit import _errors, _moments, fit_locally, ridge

DRAW = np.random.default_rng(3)
TERMS = (DRAW.random((403, 6)) < 0.4).astype(float)
TARGET = TERMS @ [1.0, -2.0, 0.5, 0.0, 3.0, 0.1] + DRAW.normal(size=403)
WEIGHTS = DRAW.random(403) + 0.1


@pytest.mark.parametrize("alpha", [0.01, 1.0, 50.0])
def test_as_scikit_learn_says(alpha):
    known = Ridge(alpha=alpha).fit(TERMS, TARGET, sample_weight=WEIGHTS)
    intercept, coef = ridge(TERMS, TARGET, WEIGHTS, alpha)
    assert coef == pytest.approx(known.coef_, abs=1e-9)
    assert intercept == pytest.approx(known.intercept_, abs=1e-9)
    assert fit_locally(TERMS, TARGET, WEIGHTS, alpha).coef == pytest.approx(coef, abs=1e-12)


def test_r2_is_of_rows_the_fit_has_not_seen():
    foretold = np.empty(403)
    for k in range(5):
        own = np.arange(403) % 5 == k
        known = Ridge(alpha=1.0).fit(TERMS[~own], TARGET[~own], sample_weight=WEIGHTS[~own])
        foretold[own] = known.predict(TERMS[own])
    found = fit_locally(TERMS, TARGET, WEIGHTS, 1.0)
    assert found.r2 == pytest.approx(r2_score(TARGET, foretold, sample_weight=WEIGHTS), abs=1e-12)


def test_noise_is_not_foretold():
    assert fit_locally(TERMS, DRAW.normal(size=403), WEIGHTS, 1.0).r2 < 0.02


def test_a_constant_is_explained_by_nothing():
    found = fit_locally(TERMS, np.full(403, 7.0), WEIGHTS, 1.0)
    assert found.r2 == 1.0
    assert found.intercept == pytest.approx(7.0)
    assert found.coef == pytest.approx(np.zeros(6), abs=1e-12)


def test_constant_and_doubled_terms_do_no_harm():
    terms = np.column_stack([np.ones(403), TERMS, TERMS[:, :1]])
    for alpha in (0.0, 1.0):
        found = fit_locally(terms, TARGET, WEIGHTS, alpha)
        assert np.isfinite(found.coef).all()
        assert found.coef[0] == pytest.approx(0.0, abs=1e-9)
        assert found.coef[1] == pytest.approx(found.coef[-1], abs=1e-9)


def test_what_may_be_chance_is_left_out():
    known = fit_locally(TERMS, TARGET, WEIGHTS, 0.0)
    found = fit_locally(TERMS, TARGET, WEIGHTS, 0.0, certain=3.0)
    assert found.coef[3] == found.coef[5] == 0.0
    assert (found.coef[[0, 1, 2, 4]] != 0.0).all()
    few = Ridge(alpha=0.0).fit(TERMS[:, [0, 1, 2, 4]], TARGET, sample_weight=WEIGHTS)
    assert found.coef[[0, 1, 2, 4]] == pytest.approx(few.coef_, abs=1e-9)
    assert found.intercept == pytest.approx(few.intercept_, abs=1e-9)
    assert known.r2 - 0.01 < found.r2 < 1


def test_noise_alone_is_foretold_by_its_mean():
    target = np.random.default_rng(5).normal(size=403)
    found = fit_locally(TERMS, target, WEIGHTS, 1.0, certain=3.5)
    assert found.coef.tolist() == [0.0] * 6
    assert found.intercept == pytest.approx(np.average(target, weights=WEIGHTS))


def test_standard_errors_are_those_of_repeated_draws():
    draw = np.random.default_rng(8)
    coefs, errors = [], []
    for _ in range(300):
        noise = draw.normal(size=403) * (1 + 2 * TERMS[:, 0])
        target = TERMS @ [1.0, -2.0, 0.5, 0.0, 3.0, 0.1] + noise
        intercept, coef = ridge(TERMS, target, WEIGHTS, 0.0)
        residual = target - intercept - TERMS @ coef
        left = _moments(TERMS, target, WEIGHTS)[0]
        errors.append(_errors(TERMS, residual, WEIGHTS, left, 0.0))
        coefs.append(coef)
    assert np.mean(errors, axis=0) == pytest.approx(np.std(coefs, axis=0), rel=0.15)
