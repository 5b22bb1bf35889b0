from __future__ import annotations

import fairlearn.metrics as fm
import numpy as np
import pytest
from sklearn import metrics as sm

from evidence.fairness.people import people, settings
from gleis.evidence.decisions import decide
from gleis.evidence.fairness.find import find_fairness, measure_fairness

EXACT = {"rel": 0, "abs": 1e-9}
Y2, S2, FRAME = people(3000)
rng = np.random.default_rng(3)
labels = Y2 + (rng.random(3000) < 0.3)
RAW = np.column_stack([1 - S2, S2, rng.random(3000) * 0.8]) + 0.2 * np.eye(3)[labels]
SCORES = RAW / RAW.sum(axis=1, keepdims=True)
given_classes = decide(SCORES)
races = FRAME["race"].to_numpy()
CLASSES = ("low", "middle", "high")
VALUES = measure_fairness(labels, SCORES, FRAME, "multiclass", settings("race", "sex"))


def frame_of(metric, y=labels, decided=given_classes):
    return fm.MetricFrame(metrics=metric, y_true=y, y_pred=decided, sensitive_features=races)


def test_figures_of_all_classes_together():
    accuracy = frame_of(sm.accuracy_score)
    macro = frame_of(lambda y, d: sm.f1_score(y, d, average="macro"))
    balanced = frame_of(sm.balanced_accuracy_score)
    error = frame_of(sm.zero_one_loss)
    losses = [sm.log_loss(labels[races == r], SCORES[races == r]) for r in sorted(set(races))]
    expected = {
        "error_rate_difference": accuracy.difference(),
        "accuracy_ratio": accuracy.ratio(),
        "error_rate_ratio": error.ratio(),
        "worst_group_accuracy": accuracy.group_min(),
        "f1_macro_difference": macro.difference(),
        "worst_group_f1_macro": macro.group_min(),
        "balanced_accuracy_difference": balanced.difference(),
        "worst_group_balanced_accuracy": balanced.group_min(),
        "log_loss_difference": np.ptp(losses),
        "log_loss_ratio": min(losses) / max(losses),
        "worst_group_log_loss": max(losses),
    }
    for name, value in expected.items():
        assert VALUES[f"race.{name}"] == pytest.approx(value, **EXACT), name


ONE_VS_REST = {
    "worst_class_statistical_parity_difference": fm.demographic_parity_difference,
    "worst_class_base_rate_difference": lambda y, d, **k: fm.demographic_parity_difference(
        y, y, **k
    ),
    "worst_class_equal_opportunity_difference": fm.equal_opportunity_difference,
    "worst_class_false_positive_rate_difference": fm.false_positive_rate_difference,
    "worst_class_equalized_odds_difference": fm.equalized_odds_difference,
    "worst_class_predictive_parity_difference": fm.make_derived_metric(
        metric=sm.precision_score, transform="difference"
    ),
}


@pytest.mark.parametrize("name", ONE_VS_REST)
def test_the_worst_class_counts(name):
    each = [
        ONE_VS_REST[name](
            (labels == k).astype(int), (given_classes == k).astype(int), sensitive_features=races
        )
        for k in range(3)
    ]
    assert VALUES[f"race.{name}"] == pytest.approx(max(each), **EXACT)


def test_parity_ratio_and_differential_fairness_take_the_worst_class():
    ratios, epsilons = [], []
    for k in range(3):
        given = (given_classes == k).astype(int)
        ratios.append(fm.demographic_parity_ratio(labels, given, sensitive_features=races))
        shares = [(given[races == r].sum() + 1 / 3) / ((races == r).sum() + 1) for r in set(races)]
        epsilons.append(np.log(max(shares) / min(shares)))
    found = VALUES["race.worst_class_statistical_parity_ratio"]
    assert found == pytest.approx(min(ratios), **EXACT)
    found = VALUES["race.worst_class_differential_fairness"]
    assert found == pytest.approx(max(epsilons), **EXACT)


def test_a_good_class_adds_the_figures_of_two_outcomes():
    asked = settings("race", favourable="high")
    found = find_fairness(labels, SCORES, FRAME, "multiclass", asked, classes=CLASSES)
    plain = find_fairness(labels, SCORES, FRAME, "multiclass", settings("race"), classes=CLASSES)
    against_rest = find_fairness(
        (labels == 2).astype(int), SCORES[:, 2], FRAME, "binary", settings("race")
    )
    (attribute,), (only,) = found.attributes, plain.attributes
    assert set(only.figures) < set(attribute.figures)
    assert "statistical_parity_difference" not in only.figures
    name = "error_rate_difference"  # of all classes, not of the good one against the rest
    assert attribute.figures[name].value == only.figures[name].value
    name = "roc_auc_difference"
    (rest,) = against_rest.attributes
    assert attribute.figures[name].value == rest.figures[name].value
    given = fm.demographic_parity_difference(labels, given_classes == 2, sensitive_features=races)
    found_parity = attribute.figures["statistical_parity_difference"]
    assert found_parity.value == pytest.approx(given, **EXACT)
    assert found_parity.low < given < found_parity.high


def test_all_figures_have_intervals():
    found = find_fairness(labels, SCORES, FRAME, "multiclass", settings("race", "sex"))
    for each in found.attributes:
        for name, figure in each.figures.items():
            assert figure.value == pytest.approx(VALUES[f"{each.name}.{name}"], **EXACT)
            assert figure.low <= figure.value <= figure.high
            assert figure.low < figure.high
        assert len(each.figures) == 19
    assert {"accuracy", "f1_macro", "log_loss"} < set(found.attributes[0].groups[0].figures)
