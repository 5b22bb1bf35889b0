from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from evidence.fairness.people import settings
from gleis.evidence.fairness.find import find_fairness
from gleis.evidence.fairness.intervals import percentiles, widen_to_alike, wilson


@pytest.mark.parametrize(("above", "below"), [(0, 10), (3, 7), (10, 10), (500, 10_000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_scipys(above, below, level):
    low, high = wilson(np.array([float(above)]), np.array([float(below)]), level)
    expected = binomtest(above, below).proportion_ci(level, method="wilson")
    assert low[0] == pytest.approx(expected.low, abs=1e-12)
    assert high[0] == pytest.approx(expected.high, abs=1e-12)


def test_percentiles_are_numpys_without_what_is_undefined():
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(200, 3))
    drawn[:10, 1] = np.nan
    drawn[:50, 2] = np.nan
    low, high = percentiles(np.zeros(3), drawn)
    for figure in (0, 1):
        held = drawn[np.isfinite(drawn[:, figure]), figure]
        expected = np.quantile(held, [0.025, 0.975])
        assert [low[figure], high[figure]] == pytest.approx(expected, abs=1e-12)
    assert np.isnan([low[2], high[2]]).all()
    low, high = percentiles(np.array([9.0, np.nan, 0.0]), drawn)
    assert high[0] == 9.0
    assert np.isnan(low[1])


def test_only_the_end_towards_equality_is_widened():
    alike = np.array([0.0, 1.0, np.nan])
    values, lows, highs = np.full(3, 0.5), np.full(3, 0.4), np.full(3, 0.9)
    low, high = widen_to_alike(values, lows, highs, alike)
    assert low == pytest.approx([0.1, 0.4, 0.4])
    assert high == pytest.approx([0.9, 0.9, 0.9])
    ratios = np.array([0.6, 0.2, 0.2, 0.0])
    low, high = widen_to_alike(ratios, np.array([0.5, 0.1, 0.0, 0.0]), ratios + 0.05, np.ones(4))
    assert low == pytest.approx([0.5, 0.1, 0.0, 0.0])
    assert high == pytest.approx([0.72, 0.4, 1.0, 0.05])


def unequal(rng, rates, sizes):
    """Return labels and scores: group g finds ``rates[g]`` of its positives."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    y = (rng.random(len(group)) < 0.4).astype(int)
    chance = np.where(y == 1, np.array(rates)[group], 0.2)
    scores = np.where(rng.random(len(group)) < chance, 0.8, 0.2)
    return y, scores, pl.DataFrame({"g": [f"g{g}" for g in group]})


def test_the_end_that_gates_judge_keeps_its_promise_for_small_groups():
    rng = np.random.default_rng(5)
    rates, sizes, beyond, above_zero = [0.7, 0.6, 0.5], [300, 80, 40], 0, 0
    for trial in range(60):
        y, scores, frame = unequal(rng, rates, sizes)
        found = find_fairness(y, scores, frame, "binary", settings("g"), seed=trial)
        beyond += found.attributes[0].figures["equal_opportunity_difference"].high < 0.2
        y, scores, frame = unequal(rng, [0.6, 0.6, 0.6], sizes)
        found = find_fairness(y, scores, frame, "binary", settings("g"), seed=trial)
        above_zero += found.attributes[0].figures["equal_opportunity_difference"].low > 0
    assert beyond <= 5
    assert above_zero <= 15


def test_what_a_small_group_never_showed_is_not_known_to_be_absent():
    y = np.array([1] * 3 + [0] * 37 + [1] * 300 + [0] * 300)
    scores = np.array([0.2] * 40 + [0.8] * 200 + [0.2] * 400)
    frame = pl.DataFrame({"g": ["small"] * 40 + ["large"] * 600})
    (found,) = find_fairness(y, scores, frame, "binary", settings("g")).attributes
    figure = found.figures["equal_opportunity_ratio"]
    assert figure.value == 0
    assert figure.high > 0.3
