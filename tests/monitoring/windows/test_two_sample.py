from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gleis.monitoring.windows.grid import lay_grid
from gleis.monitoring.windows.two_sample import (
    chi2_two_sample,
    ks_p_value,
    ks_statistic,
    ks_test,
)

NUMBERS = st.lists(
    st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6)), min_size=1, max_size=60
)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_the_statistic_is_scipys(a, b):
    a, b = np.array(a), np.array(b)
    lone = len(a) == len(b) == 1  # of which scipy's asymptotic p-value is none
    expected = stats.ks_2samp(a, b, method="exact" if lone else "asymp").statistic
    assert ks_statistic(a, b, lay_grid(a, b)) == pytest.approx(expected, abs=1e-12)


def shapes(rng):
    yield "alike", rng.normal(size=40_000), rng.normal(size=30_000)
    yield "heavy tails", rng.standard_cauchy(40_000), 1.02 * rng.standard_cauchy(30_000)
    yield "rounded", rng.normal(size=40_000).round(1), rng.normal(0.01, size=30_000).round(1)
    yield "spike", np.where(rng.random(40_000) < 0.9, 0.0, rng.random(40_000)), rng.random(30_000)
    yield "two values", (rng.random(40_000) < 0.5) * 1.0, (rng.random(30_000) < 0.51) * 1.0
    yield "constant", np.full(20_000, 3.0), np.full(20_000, 3.0)
    yield "far apart", rng.normal(size=20_000), rng.normal(1e9, size=20_000)
    yield "tiny", 1e-300 * rng.random(20_000), 1e-300 * rng.random(20_000)


@pytest.mark.parametrize("shape", range(8))
def test_statistic_and_p_value_of_many_rows_are_scipys(shape):
    _, a, b = list(shapes(np.random.default_rng(shape)))[shape]
    expected = stats.ks_2samp(a, b, method="asymp")
    statistic, p_value = ks_test(a, b, lay_grid(a, b))
    assert statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)


def test_few_rows_are_tested_exactly():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=40), rng.normal(0.8, size=35)
    expected = stats.ks_2samp(a, b, method="exact")
    assert ks_test(a, b, lay_grid(a, b)) == (expected.statistic, expected.pvalue)


@given(st.lists(st.tuples(st.integers(5, 500), st.integers(5, 500)), min_size=2, max_size=8))
def test_chi2_is_scipys_contingency_test(cells):
    table = np.array(cells).T
    smaller = table.sum(axis=1).min() * table.sum(axis=0) / table.sum()
    if (smaller < 5).any():
        return
    expected = stats.chi2_contingency(table, correction=False)
    statistic, p_value = chi2_two_sample(*table)
    assert statistic == pytest.approx(expected.statistic)
    assert p_value == pytest.approx(expected.pvalue)


def test_rare_categories_are_taken_together():
    a, b = np.array([900, 1, 1, 1, 97]), np.array([880, 2, 3, 0, 115])
    expected = stats.chi2_contingency([[900, 3, 97], [880, 5, 115]], correction=False)
    assert chi2_two_sample(a, b)[1] == pytest.approx(expected.pvalue)


def test_both_windows_are_samples():
    """A test that takes the reference for the truth is wrong on nearly half of quiet columns."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(30, 2.0))
    ours, one_sided, quiet = 0, 0, 400
    for _ in range(quiet):
        a, b = rng.multinomial(3_000, shares), rng.multinomial(3_000, shares)
        ours += chi2_two_sample(a, b)[1] <= 0.05
        expected = np.maximum(a, 0.5)
        one_sided += stats.chisquare(b, expected * b.sum() / expected.sum()).pvalue <= 0.05
    assert stats.binomtest(ours, quiet, 0.05).pvalue > 0.001
    assert one_sided / quiet > 0.4


@pytest.mark.parametrize("size", [200, 20_000])
def test_p_values_of_quiet_windows_keep_their_rate(size):
    rng = np.random.default_rng(size)
    quiet, alarms = 200, 0
    for _ in range(quiet):
        a, b = rng.normal(size=size), rng.normal(size=size)
        alarms += ks_test(a, b, lay_grid(a, b))[1] <= 0.05
    assert stats.binomtest(alarms, quiet, 0.05).pvalue > 0.001


def test_no_rows_have_no_answer():
    assert np.isnan(chi2_two_sample(np.array([0, 0]), np.array([3, 4]))).all()
    assert chi2_two_sample(np.array([5]), np.array([7])) == (0.0, 1.0)


@pytest.mark.parametrize("scaled", [0.3, 0.6, 1.0, 1.36, 2.0, 3.5, 5.0])
def test_the_limit_for_many_rows_is_the_exact_distribution(scaled):
    rows = 120_000
    statistic = scaled / np.sqrt(rows / 2)
    expected = stats.kstwo.sf(statistic, rows // 2)
    assert ks_p_value(statistic, rows, rows) == pytest.approx(expected, rel=1e-3, abs=1e-12)
