from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats
from sklearn.linear_model import LogisticRegression

from gleis.evidence.bootstrap import figure_of, resamples
from gleis.evidence.calibration_fit import (
    CALIBRATION_FIGURES,
    CALIBRATION_GAP,
    IDEALS,
    calibration_figures,
    fit_line,
    spiegelhalter_z,
)


def data(seed=0, n=3000, slope=1.0, intercept=0.0):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 3, n)
    truth = scipy.special.expit(intercept + slope * scipy.special.logit(p))
    return (rng.random(n) < truth).astype(int), p


def test_the_line_is_sklearns():
    y, p = data(slope=0.7, intercept=-0.4)
    x = scipy.special.logit(p)
    theirs = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x[:, None], y)
    found = calibration_figures(y, p)
    assert found["calibration_slope"].value == pytest.approx(theirs.coef_[0, 0], abs=1e-6)
    assert found["calibration_intercept"].value == pytest.approx(theirs.intercept_[0], abs=1e-6)


def test_recalibrated_scores_have_slope_1_and_intercept_0():
    y, p = data(slope=0.5, intercept=0.3)
    found = calibration_figures(y, p)
    line = found["calibration_intercept"].value + found["calibration_slope"].value * (
        scipy.special.logit(p)
    )
    again = calibration_figures(y, scipy.special.expit(line))
    assert again["calibration_slope"].value == pytest.approx(1, abs=1e-9)
    assert again["calibration_intercept"].value == pytest.approx(0, abs=1e-9)


def test_intervals_hold_the_truth_as_often_as_they_say():
    held = dict.fromkeys(CALIBRATION_FIGURES, 0)
    for seed in range(300):
        y, p = data(seed, n=400)
        for name, figure in calibration_figures(y, p).items():
            held[name] += figure.low <= IDEALS[name] <= figure.high
    # 95% of 300 is 285, with a standard deviation of 4.
    assert all(273 <= count <= 297 for count in held.values()), held


def test_the_interval_is_as_wide_as_the_bootstraps():
    """Where the line is not straight only the sandwich is: Fisher's would be half as wide."""
    rng = np.random.default_rng(0)
    x = rng.standard_t(2, 800)
    y = (rng.random(800) < 0.5 + 0.3 * np.tanh(0.2 * x**3)).astype(int)
    p = scipy.special.expit(x)
    drawn = []
    for weights in resamples(800, 200, seed=0):
        for counts in weights.astype(int):
            line = fit_line(np.repeat(y, counts).astype(float), np.repeat(x, counts))
            drawn.append(line[0][1])
    figure = calibration_figures(y, p)["calibration_slope"]
    resampled = figure_of(figure.value, np.array(drawn))
    assert figure.high - figure.low == pytest.approx(resampled.high - resampled.low, rel=0.15)


def test_spiegelhalters_z_by_its_first_form():
    """Spiegelhalter's eq. 14: (Brier - E Brier) / sd(Brier) under calibration."""
    y, p = data(n=500)
    expected = (p * (1 - p)).mean()
    variance = ((1 - 2 * p) ** 2 * p * (1 - p)).sum() / 500**2
    z = (((y - p) ** 2).mean() - expected) / np.sqrt(variance)
    assert spiegelhalter_z(y.astype(float), p) == pytest.approx(z)


def test_z_is_standard_normal_where_scores_are_right_and_far_where_not():
    values = [spiegelhalter_z(*map(np.asarray, data(seed, n=300))) for seed in range(200)]
    assert scipy.stats.kstest(values, "norm").pvalue > 0.01
    y, p = data(slope=0.4)
    assert calibration_figures(y, p)["spiegelhalter_z"].low > 3


@pytest.mark.parametrize(
    ("y", "p", "known"),
    [
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4], {"spiegelhalter_z"}),
        ([0, 1, 0, 1], [0.2, 0.2, 0.2, 0.2], {"spiegelhalter_z"}),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], {"spiegelhalter_z"}),
        ([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9], {"spiegelhalter_z"}),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], set()),
        ([0, 1, 1], [0.0, 1.0, 1.0], set()),
    ],
    ids=["one class", "equal", "separated", "the other way", "halves", "certain"],
)
def test_undefined_figures_are_absent(y, p, known):
    assert set(calibration_figures(np.array(y), np.array(p))) == known


def test_certain_scores_that_err_are_still_finite():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    p = np.where(rng.random(200) < 0.9, y, 1 - y).astype(float)
    for figure in calibration_figures(y, p).values():
        assert np.isfinite([figure.value, figure.low, figure.high]).all()


def test_the_gap_says_which_way_the_scores_err():
    assert CALIBRATION_GAP(np.array([1, 1, 0, 0]), np.full(4, 0.2)) == pytest.approx(0.3)
