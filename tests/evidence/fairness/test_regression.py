from __future__ import annotations

import fairlearn.metrics as fm
import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sm

from evidence.fairness.people import people, settings
from gleis.contracts.errors import ConfigError
from gleis.evidence.fairness.find import find_fairness, measure_fairness

EXACT = {"rel": 1e-9, "abs": 1e-9}
_, SCORES, FRAME = people(3000)
rng = np.random.default_rng(4)
races = FRAME["race"].to_numpy()
SPREAD = np.select([races == "asian", races == "black"], [1.0, 2.0], 0.5)
Y = 1000 + 50 * SCORES + rng.normal(size=3000) * SPREAD
PREDICTED = 1000 + 45 * SCORES + (races == "white") + rng.normal(size=3000)
VALUES = measure_fairness(Y, PREDICTED, FRAME, "regression", settings("race"))
RATES = {
    "mean_target": lambda y, p: np.mean(y),
    "mean_prediction": fm.mean_prediction,
    "mean_residual": lambda y, p: np.mean(p - y),
    "mae": sm.mean_absolute_error,
    "mse": sm.mean_squared_error,
    "rmse": sm.root_mean_squared_error,
    "r2": sm.r2_score,
}
PEER = fm.MetricFrame(metrics=RATES, y_true=Y, y_pred=PREDICTED, sensitive_features=races)


def test_rates_and_gaps_are_those_of_the_rows():
    found = find_fairness(Y, PREDICTED, FRAME, "regression", settings("race"))
    (attribute,) = found.attributes
    for group in attribute.groups:
        for name, figure in group.figures.items():
            assert figure.value == pytest.approx(PEER.by_group[name][group.values[0]], **EXACT)
            assert figure.low < figure.value < figure.high
    for name in RATES:
        assert VALUES[f"race.{name}_difference"] == pytest.approx(PEER.difference()[name], **EXACT)
        if name not in ("mean_residual", "mse", "r2"):
            assert VALUES[f"race.{name}_ratio"] == pytest.approx(PEER.ratio()[name], **EXACT)
    for name, end in (("mae", "max"), ("mse", "max"), ("rmse", "max"), ("r2", "min")):
        worst = getattr(PEER, f"group_{end}")()[name]
        assert VALUES[f"race.worst_group_{name}"] == pytest.approx(worst, **EXACT)
    assert set(attribute.figures) == {name.removeprefix("race.") for name in VALUES}


def test_the_interval_of_a_groups_error_is_that_of_a_mean():
    found = find_fairness(
        Y, PREDICTED, FRAME, "regression", settings("race"), n_replicates=2000
    ).attributes[0]
    for group in found.groups:
        errors = np.abs(PREDICTED - Y)[races == group.values[0]]
        half = 1.96 * errors.std() / len(errors) ** 0.5
        figure = group.figures["mae"]
        assert (figure.high - figure.low) / 2 == pytest.approx(half, rel=0.3)


def test_distribution_gap_is_kolmogorov_smirnovs_at_the_quantiles():
    exact = max(
        stats.ks_2samp(PREDICTED[races == race], PREDICTED).statistic for race in set(races)
    )
    found = VALUES["race.prediction_distribution_gap"]
    assert exact - 0.02 < found <= exact + 1e-12


def test_a_constant_target_or_prediction_is_undefined_not_fair():
    found = measure_fairness(np.ones(3000), PREDICTED, FRAME, "regression", settings("race"))
    assert np.isnan(found["race.r2_difference"])
    flat = find_fairness(Y, np.ones(3000), FRAME, "regression", settings("race"))
    assert flat.attributes[0].figures["mean_prediction_difference"].high == 0


def test_a_good_class_means_nothing():
    with pytest.raises(ConfigError, match="regression has none"):
        measure_fairness(Y, PREDICTED, FRAME, "regression", settings("race", favourable="1"))


def test_values_near_a_large_mean_keep_their_digits():
    shifted = measure_fairness(Y + 1e6, PREDICTED + 1e6, FRAME, "regression", settings("race"))
    name = "race.r2_difference"
    assert shifted[name] == pytest.approx(VALUES[name], rel=1e-6)
