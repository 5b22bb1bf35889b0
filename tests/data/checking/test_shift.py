from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from gleis.data.checking.shift import shift

SHIFT = 0.3210
"""Of a normal distribution whose index over deciles is then 0.1."""


def index_of(moved):
    cuts = norm.ppf(np.arange(1, 10) / 10)
    q = np.diff(np.concatenate([[0], norm.cdf(cuts - moved), [1]]))
    return ((q - 0.1) * np.log(q / 0.1)).sum()


def test_the_index_is_that_of_the_deciles():
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=200_000), rng.normal(0.5, 1, 200_000)
    found = shift(pl.Series(before), pl.Series(after), 0.1)
    assert found.psi == pytest.approx(index_of(0.5), rel=0.03)
    assert found.p_value < 1e-6
    assert shift(pl.Series(before), pl.Series(after), 0.3).p_value > 0.99


@pytest.mark.parametrize(("n", "m"), [(1000, 20), (300, 300)])
def test_one_at_the_limit_fails_as_rarely_as_stated(n, m):
    assert index_of(SHIFT) == pytest.approx(0.1, abs=0.002)
    rng = np.random.default_rng(1)
    found = [
        shift(pl.Series(rng.normal(size=n)), pl.Series(rng.normal(SHIFT, 1, m)), 0.1).p_value
        for _ in range(300)
    ]
    # 5% of 300 and three standard deviations of a binomial.
    assert np.mean(np.array(found) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_small_samples_have_large_indices_that_do_not_fail():
    rng = np.random.default_rng(2)
    found = [
        shift(pl.Series(rng.normal(size=500)), pl.Series(rng.normal(size=15)), 0.1)
        for _ in range(200)
    ]
    assert np.mean([each.psi > 0.1 for each in found]) > 0.2
    assert sum(each.p_value < 0.001 for each in found) == 0


def test_texts_missing_values_and_new_values():
    before = pl.Series(["a"] * 600 + ["b"] * 400)
    assert shift(before, pl.Series(["a"] * 60 + ["b"] * 40), 0.1).psi < 0.01
    for moved in (["b"] * 100, [None] * 100, ["new"] * 100):
        assert shift(before, pl.Series(["a"] * 10 + moved), 0.25).p_value < 1e-6
    assert shift(before, pl.Series(["a"] * 60 + ["b"] * 39 + ["new"]), 0.1).p_value > 0.5
    numbers = pl.Series(range(1000), dtype=pl.Float64)
    assert (
        shift(numbers, pl.Series([None] * 500 + list(range(500)), dtype=pl.Float64), 0.25).p_value
        < 1e-6
    )


def test_nothing_to_compare():
    some, none = pl.Series([1.0, 2.0]), pl.Series([], dtype=pl.Float64)
    assert shift(some, none, 0.1) == shift(none, some, 0.1) == (0.0, 1.0)
    assert shift(pl.Series([1] * 50), pl.Series([1] * 50), 0.1) == (0.0, 1.0)
    assert (
        shift(pl.Series([None] * 50, dtype=pl.Float64), pl.Series([1.0] * 50), 0.1).p_value < 0.001
    )
