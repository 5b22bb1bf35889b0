"""AIF360 computes the same between two groups, with the sign of who is privileged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import BinaryLabelDatasetMetric, ClassificationMetric
from sklearn.preprocessing import StandardScaler

from evidence.fairness.people import people, settings
from gleis.evidence.fairness.find import find_fairness, measure_fairness
from gleis.evidence.fairness.individuals import consistency

EXACT = {"rel": 0, "abs": 1e-9}
Y, SCORES, FRAME = people(1500, n_races=2)
DECIDED = (SCORES > 0.5).astype(int)
SEX, RACE = (FRAME["sex"] == "male").to_numpy(), (FRAME["race"] == "asian").to_numpy()
VALUES = measure_fairness(Y, SCORES, FRAME, "binary", settings("sex", "race"))


def dataset(labels, scores=None, attributes=("sex",)):
    held = {"sex": SEX, "race": RACE}
    table = pd.DataFrame({name: held[name].astype(float) for name in attributes})
    table["y"] = labels
    made = BinaryLabelDataset(
        df=table,
        label_names=["y"],
        protected_attribute_names=list(attributes),
        privileged_protected_attributes=[np.array([1.0])] * len(attributes),
        unprivileged_protected_attributes=[np.array([0.0])] * len(attributes),
    )
    if scores is not None:
        made.scores = scores.reshape(-1, 1)
    return made


def classified(attributes=("sex",)):
    unprivileged, privileged = (dict.fromkeys(attributes, v) for v in (0, 1))
    return ClassificationMetric(
        dataset(Y, attributes=attributes),
        dataset(DECIDED, SCORES, attributes),
        [unprivileged],
        [privileged],
    )


METRIC = classified()
LABELS = BinaryLabelDatasetMetric(dataset(Y), [{"sex": 0}], [{"sex": 1}])
DIFFERENCES = {
    "statistical_parity_difference": METRIC.statistical_parity_difference(),
    "base_rate_difference": LABELS.mean_difference(),
    "equal_opportunity_difference": METRIC.equal_opportunity_difference(),
    "false_positive_rate_difference": METRIC.false_positive_rate_difference(),
    "false_omission_rate_difference": METRIC.false_omission_rate_difference(),
    "predictive_parity_difference": METRIC.false_discovery_rate_difference(),
    "error_rate_difference": METRIC.error_rate_difference(),
    "equalized_odds_difference": METRIC.equalized_odds_difference(),
    "average_odds_difference": METRIC.average_odds_difference(),
    "average_abs_odds_difference": METRIC.average_abs_odds_difference(),
    "average_predictive_value_difference": METRIC.average_predictive_value_difference(),
    "generalized_equalized_odds_difference": METRIC.generalized_equalized_odds_difference(),
    "balance_positive_class_difference": METRIC.difference(METRIC.generalized_true_positive_rate),
    "balance_negative_class_difference": METRIC.difference(METRIC.generalized_false_positive_rate),
}
RATIOS = {
    "statistical_parity_ratio": METRIC.disparate_impact(),
    "base_rate_ratio": LABELS.disparate_impact(),
    "false_positive_rate_ratio": METRIC.false_positive_rate_ratio(),
    "false_negative_rate_ratio": METRIC.false_negative_rate_ratio(),
    "false_omission_rate_ratio": METRIC.false_omission_rate_ratio(),
    "false_discovery_rate_ratio": METRIC.false_discovery_rate_ratio(),
    "error_rate_ratio": METRIC.error_rate_ratio(),
    "negative_predictive_value_ratio": METRIC.ratio(METRIC.negative_predictive_value),
}
OVER_ALL = {
    "generalized_entropy_index": METRIC.generalized_entropy_index(),
    "theil_index": METRIC.theil_index(),
    "coefficient_of_variation": METRIC.coefficient_of_variation(),
    "sex.between_group_generalized_entropy_index": (
        METRIC.between_all_groups_generalized_entropy_index()
    ),
    "sex.between_group_theil_index": METRIC.between_all_groups_theil_index(),
    "sex.between_group_coefficient_of_variation": (
        METRIC.between_all_groups_coefficient_of_variation()
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_differences(name):
    assert VALUES[f"sex.{name}"] == pytest.approx(abs(DIFFERENCES[name]), **EXACT)
    assert VALUES[f"sex.{name}"] > 1e-5


@pytest.mark.parametrize("name", RATIOS)
def test_ratios(name):
    ratio = RATIOS[name]
    assert VALUES[f"sex.{name}"] == pytest.approx(min(ratio, 1 / ratio), **EXACT)


@pytest.mark.parametrize("name", OVER_ALL)
def test_inequality(name):
    assert VALUES[name] == pytest.approx(OVER_ALL[name], **EXACT)


def test_inequality_between_all_intersections():
    metric = classified(("sex", "race"))
    found = VALUES["sex*race.between_group_theil_index"]
    assert found == pytest.approx(metric.between_all_groups_theil_index(), **EXACT)


def test_differential_fairness():
    metric = classified(("sex", "race"))
    found = VALUES["sex*race.differential_fairness_bias_amplification"]
    assert found == pytest.approx(metric.differential_fairness_bias_amplification(), **EXACT)
    decided = BinaryLabelDatasetMetric(dataset(DECIDED, attributes=("sex", "race")))
    found = VALUES["sex*race.differential_fairness"]
    assert found == pytest.approx(decided.smoothed_empirical_differential_fairness(), **EXACT)


def test_consistency():
    rng = np.random.default_rng(0)
    features = StandardScaler().fit_transform(rng.normal(size=(800, 3)))
    labels = ((features[:, 0] + rng.normal(size=800) / 3) > 0).astype(int)
    table = pd.DataFrame(features, columns=["a", "b", "c"])
    made = BinaryLabelDataset(
        df=table.assign(y=labels), label_names=["y"], protected_attribute_names=["a"]
    )
    expected = float(BinaryLabelDatasetMetric(made).consistency(5)[0])
    found = consistency(labels, made.features)
    assert found.value == pytest.approx(expected, **EXACT)
    assert found.low < found.value < found.high


def test_consistency_of_many_rows_is_that_of_a_sample():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(2500, 2))
    decided = (features[:, 0] > 0).astype(int)
    sex = pl.DataFrame({"sex": ["f", "m"] * 1250})
    found = find_fairness(
        decided, decided.astype(float), sex, "binary", settings("sex"), features=features
    )
    assert 0.9 < found.figures["consistency"].value < 1
    assert "drawn by chance, of 2,500" in " ".join(found.notes)
