"""How often intervals hold the truth, on many samples of people whose true rates are known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence.fairness.people import settings
from gleis.evidence.fairness.find import find_fairness

SAMPLES = 200
CASES = {  # sizes, base rates, true and false positive rates by group
    "two alike": ([500, 500], [0.4, 0.4], [0.7, 0.7], [0.2, 0.2]),
    "two that differ": ([500, 100], [0.4, 0.3], [0.7, 0.55], [0.2, 0.1]),
    "six, some small": (
        [400, 300, 200, 100, 50, 40],
        [0.4, 0.3, 0.4, 0.3, 0.4, 0.3],
        [0.7, 0.6, 0.7, 0.5, 0.6, 0.6],
        [0.2, 0.2, 0.1, 0.2, 0.1, 0.2],
    ),
    "rare": ([800, 100, 60], [0.05] * 3, [0.5, 0.4, 0.2], [0.01, 0.01, 0.02]),
}


def truth(base, tpr, fpr):
    base, tpr, fpr = map(np.array, (base, tpr, fpr))
    selected = base * tpr + (1 - base) * fpr
    error = base * (1 - tpr) + (1 - base) * fpr
    return {
        "statistical_parity_difference": np.ptp(selected),
        "statistical_parity_ratio": selected.min() / selected.max(),
        "equal_opportunity_difference": np.ptp(tpr),
        "equalized_odds_difference": max(np.ptp(tpr), np.ptp(fpr)),
        "predictive_parity_difference": np.ptp(base * tpr / selected),
        "error_rate_difference": np.ptp(error),
        "false_positive_rate_ratio": fpr.min() / fpr.max(),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_the_truth(name):
    sizes, base, tpr, fpr = CASES[name]
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(len(sizes)), sizes)
    frame = pl.DataFrame({"g": [f"g{g}" for g in group]})
    true = truth(base, tpr, fpr)
    under, over = dict.fromkeys(true, 0), dict.fromkeys(true, 0)
    for sample in range(SAMPLES):
        y = (rng.random(len(group)) < np.array(base)[group]).astype(int)
        chance = np.where(y == 1, np.array(tpr)[group], np.array(fpr)[group])
        scores = np.where(rng.random(len(group)) < chance, 0.75, 0.25)
        found = find_fairness(y, scores, frame, "binary", settings("g"), seed=sample)
        figures = found.attributes[0].figures
        for figure in filter(figures.get, true):
            under[figure] += true[figure] < figures[figure].low
            over[figure] += true[figure] > figures[figure].high
    for figure in true:
        ratio = figure.endswith("ratio")
        judged, other = (under, over) if ratio else (over, under)
        assert judged[figure] <= 0.055 * SAMPLES, figure
        assert other[figure] <= 0.25 * SAMPLES, figure
