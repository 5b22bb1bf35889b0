from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.errors import ConfigError
from gleis.evidence.metrics import METRICS, PRIMARY_LOSS, SLICE_METRICS, find_metric, metrics_of


def binary(seed, n=400, digits=None):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 2, n)
    scores = np.clip(p + rng.normal(0, 0.2, n), 0, 1)
    if digits is not None:
        scores = np.round(scores, digits)
    return (rng.random(n) < p).astype(np.int64), scores, rng.uniform(0.1, 3, n)


def multiclass(seed, n=400, k=4):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(k, 0.5), n)
    y = np.array([rng.choice(k, p=row) for row in 0.5 * scores + 0.5 / k])
    return y, scores, rng.uniform(0.1, 3, n)


def regression(seed, n=401, offset=0.0):
    rng = np.random.default_rng(seed)
    y = rng.normal(offset, 3, n)
    return y, y + rng.normal(0, 1, n), rng.uniform(0.1, 3, n)


def chosen(scores):
    return scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0.5).astype(int)


BINARY = {
    "roc_auc": lambda y, s, w: sk.roc_auc_score(y, s, sample_weight=w),
    "average_precision": lambda y, s, w: sk.average_precision_score(y, s, sample_weight=w),
    "log_loss": lambda y, s, w: sk.log_loss(y, s, sample_weight=w),
    "brier": lambda y, s, w: sk.brier_score_loss(y, s, sample_weight=w),
    "accuracy": lambda y, s, w: sk.accuracy_score(y, chosen(s), sample_weight=w),
    "balanced_accuracy": lambda y, s, w: sk.balanced_accuracy_score(y, chosen(s), sample_weight=w),
    "precision": lambda y, s, w: sk.precision_score(y, chosen(s), sample_weight=w),
    "recall": lambda y, s, w: sk.recall_score(y, chosen(s), sample_weight=w),
    "f1": lambda y, s, w: sk.f1_score(y, chosen(s), sample_weight=w),
}
MULTICLASS = {
    "roc_auc_ovr": lambda y, s, w: np.mean(  # scikit-learn refuses weights for the macro mean
        [sk.roc_auc_score(y == k, s[:, k], sample_weight=w) for k in range(s.shape[1])]
    ),
    "log_loss": lambda y, s, w: sk.log_loss(y, s, sample_weight=w),
    "brier": lambda y, s, w: sk.brier_score_loss(y, s, sample_weight=w),
    "accuracy": BINARY["accuracy"],
    "balanced_accuracy": BINARY["balanced_accuracy"],
    "f1_macro": lambda y, s, w: sk.f1_score(y, chosen(s), sample_weight=w, average="macro"),
}
REGRESSION = {
    "mae": lambda y, s, w: sk.mean_absolute_error(y, s, sample_weight=w),
    "rmse": lambda y, s, w: sk.root_mean_squared_error(y, s, sample_weight=w),
    "r2": lambda y, s, w: sk.r2_score(y, s, sample_weight=w),
    "median_absolute_error": lambda y, s, w: sk.median_absolute_error(y, s, sample_weight=w),
}
ORACLES = [
    *[(name, binary, oracle) for name, oracle in BINARY.items()],
    *[(name, multiclass, oracle) for name, oracle in MULTICLASS.items()],
    *[(name, regression, oracle) for name, oracle in REGRESSION.items()],
]


@pytest.mark.parametrize(("name", "make", "oracle"), ORACLES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_scikit_learn(name, make, oracle, seed):
    y, scores, weight = make(seed)
    assert METRICS[name](y, scores) == pytest.approx(oracle(y, scores, None), abs=1e-12)
    assert METRICS[name](y, scores, weight) == pytest.approx(oracle(y, scores, weight), abs=1e-12)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("digits", [0, 1, 2])
def test_equals_scikit_learn_with_ties(name, digits):
    y, scores, weight = binary(7, digits=digits)
    for w in (None, weight):
        assert METRICS[name](y, scores, w) == pytest.approx(BINARY[name](y, scores, w), abs=1e-12)


def test_every_metric_but_the_calibration_error_has_an_oracle():
    named = {*BINARY, *MULTICLASS, *REGRESSION}
    assert set(METRICS) - named == {"expected_calibration_error"}


def test_r2_keeps_its_digits_far_from_zero():
    y, scores, weight = regression(3, offset=1e7)
    assert METRICS["r2"](y, scores, weight) == pytest.approx(
        REGRESSION["r2"](y, scores, weight), abs=1e-9
    )


def test_median_with_an_even_count_is_between_the_middle_errors():
    assert METRICS["median_absolute_error"](np.zeros(4), np.array([1.0, 2.0, 4.0, 9.0])) == 3.0


def test_expected_calibration_error_by_hand():
    # Two bins: 0.1 twice with one positive (gap 0.4), 0.9 twice with two (gap 0.1).
    y, scores = np.array([0, 1, 1, 1]), np.array([0.1, 0.1, 0.9, 0.9])
    error = METRICS["expected_calibration_error"]
    assert error(y, scores) == pytest.approx(0.25)
    assert error(y, scores, np.array([1.0, 1.0, 3.0, 3.0])) == pytest.approx((0.4 + 3 * 0.1) / 4)


def test_expected_calibration_error_counts_both_ends_of_the_scale():
    error = METRICS["expected_calibration_error"]
    assert error(np.array([0, 1]), np.array([0.0, 1.0])) == 0
    assert error(np.array([1, 0]), np.array([0.0, 1.0])) == 1


CASES = [(name, make) for name, make, _ in ORACLES] + [("expected_calibration_error", binary)]


@pytest.mark.parametrize(("name", "make"), CASES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_weight_of_k_is_the_row_k_times(name, make, seed):
    y, scores, _ = make(seed, 60)
    times = np.random.default_rng(seed).integers(0, 4, len(y))
    weighted = METRICS[name](y, scores, times.astype(float))
    repeated = METRICS[name](np.repeat(y, times), np.repeat(scores, times, axis=0))
    assert weighted == pytest.approx(repeated, abs=1e-12, nan_ok=True)


@given(seed=st.integers(0, 10_000), digits=st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_order_alone_decides_the_auc(seed, digits):
    y, scores, weight = binary(seed, 80, digits)
    auc = METRICS["roc_auc"]
    assert auc(y, scores**3, weight) == pytest.approx(auc(y, scores, weight), nan_ok=True)
    assert auc(y, 1 - scores, weight) == pytest.approx(1 - auc(y, scores, weight), nan_ok=True)


@pytest.mark.parametrize("name", ["roc_auc", "balanced_accuracy"])
@pytest.mark.parametrize("only", [0, 1])
def test_one_class_is_undefined(name, only):
    assert np.isnan(METRICS[name](np.full(5, only), np.linspace(0, 1, 5)))


@pytest.mark.parametrize("name", ["average_precision", "recall"])
def test_without_positives_it_is_undefined(name):
    assert np.isnan(METRICS[name](np.zeros(5, dtype=int), np.linspace(0, 1, 5)))


def test_precision_is_undefined_if_nothing_is_called_positive():
    assert np.isnan(METRICS["precision"](np.array([0, 1]), np.array([0.1, 0.5])))


def test_r2_of_a_constant_target_is_undefined():
    assert np.isnan(METRICS["r2"](np.full(4, 0.1), np.array([0.0, 0.1, 0.2, 0.3])))


def test_an_absent_class_leaves_the_mean_auc_undefined():
    y, scores, _ = multiclass(0)
    scores = np.column_stack([scores * 0.9, np.full(len(y), 0.1)])
    assert np.isnan(METRICS["roc_auc_ovr"](y, scores))


def test_a_certain_error_costs_a_finite_log_loss():
    assert METRICS["log_loss"](np.array([1, 0]), np.array([0.0, 0.0])) == pytest.approx(
        sk.log_loss([1, 0], [0.0, 0.0])
    )


def test_a_typo_gets_the_nearest_name():
    with pytest.raises(ConfigError, match="Did you mean average_precision") as caught:
        find_metric("avg_precision", "binary", key="gates.avg_precision")
    assert caught.value.field == "gates.avg_precision"


def test_a_metric_of_another_task_is_refused():
    with pytest.raises(ConfigError, match="Known: mae, rmse"):
        metrics_of("regression", ["roc_auc"])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_losses_and_slices_name_metrics_of_their_task(task):
    known = {metric.name for metric in metrics_of(task)}
    assert {PRIMARY_LOSS[task], *SLICE_METRICS[task]} <= known
    assert not METRICS[PRIMARY_LOSS[task]].greater_is_better


@pytest.mark.parametrize(("name", "make"), CASES)
def test_a_perfect_answer_is_the_best_one(name, make):
    y, scores, _ = make(5)
    perfect = y.astype(float) if scores.ndim == 1 else np.eye(scores.shape[1])[y]
    metric = METRICS[name]
    assert metric.sign * metric(y, perfect) > metric.sign * metric(y, scores)
