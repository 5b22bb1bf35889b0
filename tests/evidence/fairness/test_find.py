from __future__ import annotations

from itertools import product

import fairlearn.metrics as fm
import numpy as np
import polars as pl
import pytest
from sklearn import metrics as sm

from evidence.fairness.people import people, settings
from gleis.contracts.errors import ConfigError, DataError
from gleis.evidence.fairness.find import find_fairness, measure_fairness
from gleis.evidence.measure import measure
from gleis.evidence.slices import MISSING

EXACT = {"rel": 0, "abs": 1e-9}
Y, SCORES, FRAME = people()
DECIDED = (SCORES > 0.5).astype(int)
FOUND = find_fairness(Y, SCORES, FRAME, "binary", settings("sex", "race", "age"))
BY_NAME = {each.name: each for each in FOUND.attributes}
VALUES = measure_fairness(Y, SCORES, FRAME, "binary", settings("sex", "race", "age"))


def columns(name):
    bands = np.digitize(FRAME["age"], [30, 50])
    ages = np.array(["under 30", "30 to under 50", "50 and over"])[bands]
    held = {"sex": FRAME["sex"].to_numpy(), "race": FRAME["race"].to_numpy(), "age": ages}
    return {part: held[part] for part in name.split("*")}


def test_all_intersections_are_there():
    assert [each.name for each in FOUND.attributes] == [
        "sex", "race", "age", "sex*race", "sex*age", "race*age", "sex*race*age",
    ]  # fmt: skip
    assert len(BY_NAME["sex*race*age"].groups) == 2 * 3 * 3
    for each in FOUND.attributes:
        rows = [group.rows for group in each.groups]
        assert sum(rows) == len(Y)
        assert rows == sorted(rows, reverse=True)
        assert each.unknown == ()


RATES = {
    "base_rate": lambda y, d: np.mean(y),
    "selection_rate": fm.selection_rate,
    "true_positive_rate": fm.true_positive_rate,
    "false_positive_rate": fm.false_positive_rate,
    "true_negative_rate": fm.true_negative_rate,
    "false_negative_rate": fm.false_negative_rate,
    "precision": sm.precision_score,
    "negative_predictive_value": lambda y, d: sm.precision_score(y, d, pos_label=0),
    "false_discovery_rate": lambda y, d: 1 - sm.precision_score(y, d),
    "false_omission_rate": lambda y, d: 1 - sm.precision_score(y, d, pos_label=0),
    "accuracy": sm.accuracy_score,
    "error_rate": sm.zero_one_loss,
    "balanced_accuracy": sm.balanced_accuracy_score,
    "f1": sm.f1_score,
}
SCORED = {
    "mean_score": lambda y, s: s.mean(),
    "mean_score_of_positives": lambda y, s: s[y == 1].mean(),
    "mean_score_of_negatives": lambda y, s: s[y == 0].mean(),
    "calibration_bias": lambda y, s: s.mean() - y.mean(),
    "log_loss": sm.log_loss,
    "roc_auc": sm.roc_auc_score,
    "expected_calibration_error": lambda y, s: measure(
        y, s, "binary", ["expected_calibration_error"]
    )["expected_calibration_error"],
}


@pytest.mark.parametrize("name", list(BY_NAME))
def test_rates_by_group_are_fairlearns(name):
    frame = fm.MetricFrame(
        metrics=RATES, y_true=Y, y_pred=DECIDED, sensitive_features=columns(name)
    )
    scored = fm.MetricFrame(
        metrics=SCORED, y_true=Y, y_pred=SCORES, sensitive_features=columns(name)
    )
    for group in BY_NAME[name].groups:
        key = group.values if len(group.values) > 1 else group.values[0]
        expected = {**frame.by_group.loc[key], **scored.by_group.loc[key]}
        for rate, figure in group.figures.items():
            if rate not in ("treatment_ratio", "mean_benefit"):
                assert figure.value == pytest.approx(expected.pop(rate), **EXACT), rate
            assert figure.low <= figure.value <= figure.high
        assert expected == {}
    for rate, value in {**frame.overall, **scored.overall}.items():
        assert FOUND.figures[rate].value == pytest.approx(value, **EXACT)


FAIRLEARN = {
    "statistical_parity_difference": fm.demographic_parity_difference,
    "statistical_parity_ratio": fm.demographic_parity_ratio,
    "equal_opportunity_difference": fm.equal_opportunity_difference,
    "equal_opportunity_ratio": fm.equal_opportunity_ratio,
    "equalized_odds_difference": fm.equalized_odds_difference,
    "equalized_odds_ratio": fm.equalized_odds_ratio,
    "false_positive_rate_difference": fm.false_positive_rate_difference,
    "false_positive_rate_ratio": fm.false_positive_rate_ratio,
    "false_negative_rate_ratio": fm.false_negative_rate_ratio,
    "true_negative_rate_ratio": fm.true_negative_rate_ratio,
    "error_rate_difference": fm.zero_one_loss_difference,
    "error_rate_ratio": fm.zero_one_loss_ratio,
    "accuracy_ratio": fm.accuracy_score_ratio,
    "worst_group_accuracy": fm.accuracy_score_group_min,
    "worst_group_balanced_accuracy": fm.balanced_accuracy_score_group_min,
    "worst_group_f1": fm.f1_score_group_min,
    "worst_group_precision": fm.precision_score_group_min,
    "worst_group_true_positive_rate": fm.recall_score_group_min,
    "worst_group_roc_auc": fm.roc_auc_score_group_min,
    "worst_group_log_loss": fm.log_loss_group_max,
}


@pytest.mark.parametrize(("name", "figure"), list(product(["race", "sex*race*age"], FAIRLEARN)))
def test_disparities_are_fairlearns(name, figure):
    given = SCORES if figure.endswith(("auc", "log_loss")) else DECIDED
    expected = FAIRLEARN[figure](
        Y, given, sensitive_features=np.column_stack([*columns(name).values()])
    )
    assert VALUES[f"{name}.{figure}"] == pytest.approx(expected, **EXACT)
    found = BY_NAME[name].figures[figure]
    assert found.value == VALUES[f"{name}.{figure}"]
    assert found.low <= found.value <= found.high


def test_all_figures_have_intervals_and_values_agree():
    flat = {name: figure.value for name, figure in FOUND.figures.items() if name in VALUES}
    for each in FOUND.attributes:
        flat |= {f"{each.name}.{name}": figure.value for name, figure in each.figures.items()}
    assert flat == {name: pytest.approx(value, **EXACT) for name, value in VALUES.items()}
    assert len(BY_NAME["sex"].figures) >= 50


def test_the_good_outcome_may_be_the_other_class():
    flipped = measure_fairness(
        Y, SCORES, FRAME, "binary", settings("sex", favourable="no"), classes=("no", "yes")
    )
    other = measure_fairness(1 - Y, 1 - SCORES, FRAME, "binary", settings("sex"))
    assert flipped == {name: pytest.approx(value, **EXACT) for name, value in other.items()}
    plain = measure_fairness(Y, SCORES, FRAME, "binary", settings("sex"))
    assert flipped["sex.statistical_parity_ratio"] != plain["sex.statistical_parity_ratio"]
    with pytest.raises(ConfigError, match=r"'maybe'.*no, yes"):
        measure_fairness(
            Y, SCORES, FRAME, "binary", settings("sex", favourable="maybe"), classes=("no", "yes")
        )


def test_the_same_seed_gives_the_same_intervals():
    one, two, other = (
        find_fairness(Y, SCORES, FRAME, "binary", settings("sex"), seed=seed) for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


def test_small_groups_are_unknown_and_not_compared():
    sex = FRAME["sex"].to_list()
    sex[:29] = ["x"] * 29
    frame = FRAME.with_columns(sex=pl.Series(sex))
    found = find_fairness(Y, SCORES, frame, "binary", settings("sex"))
    (attribute,) = found.attributes
    assert attribute.unknown == ("x",)
    assert attribute.groups[-1].rows == 29
    assert attribute.groups[-1].figures == {}
    rest = measure_fairness(Y[29:], SCORES[29:], frame[29:], "binary", settings("sex"))
    for name, figure in attribute.figures.items():
        if "subgroup" not in name:  # these compare with all rows
            assert figure.value == pytest.approx(rest[f"sex.{name}"], **EXACT), name


@pytest.mark.parametrize("lone", [0, 1])
def test_one_group_only_or_a_group_of_one_leaves_nothing_to_compare(lone):
    sex = pl.DataFrame({"sex": ["f"] * (len(Y) - lone) + ["m"] * lone})
    found = find_fairness(Y, SCORES, sex, "binary", settings("sex"))
    (attribute,) = found.attributes
    assert attribute.figures == {}
    assert attribute.unknown == ("m",) * lone
    assert "fewer than two groups are known" in " ".join(found.notes)
    assert np.isnan(
        measure_fairness(Y, SCORES, sex, "binary", settings("sex"))["sex.f1_difference"]
    )


def test_a_constant_decision_is_told():
    found = find_fairness(Y, np.full(len(Y), 0.2), FRAME, "binary", settings("sex"))
    (attribute,) = found.attributes
    assert attribute.figures["statistical_parity_difference"].value == 0
    assert "statistical_parity_ratio" not in attribute.figures
    assert "predictive_parity_difference" not in attribute.figures
    notes = " ".join(found.notes)
    assert "same decision" in notes
    assert "precision (2)" in notes


def test_missing_values_are_a_group():
    sex = FRAME["sex"].to_list()
    sex[:100] = [None] * 100
    age = FRAME["age"].to_list()
    age[50:150] = [float("nan")] * 50 + [None] * 50
    frame = pl.DataFrame({"sex": sex, "age": age})
    found = find_fairness(Y, SCORES, frame, "binary", settings("sex", "age"))
    rows = {each.name: {g.values: g.rows for g in each.groups} for each in found.attributes}
    assert rows["sex"][(MISSING,)] == 100
    assert rows["age"][(MISSING,)] == 100
    assert rows["sex*age"][(MISSING, MISSING)] == 50


@pytest.mark.parametrize(
    ("change", "error", "needle"),
    [
        ({"frame": FRAME.rename({"sex": "sexe"})}, ConfigError, "Did you mean sexe"),
        ({"protected": ("age",), "bands": {}}, ConfigError, r"no bands.*bands = \{ age = \["),
        ({"protected": ()}, ConfigError, "1 to 6 columns"),
        ({"protected": ("sex",) * 7}, ConfigError, "1 to 6 columns"),
        ({"frame": pl.DataFrame({"sex": [["f"]] * len(Y)})}, ConfigError, "no plain values"),
        ({"bands": {"sex": (1.0,)}}, ConfigError, "not a number"),
        ({"frame": pl.DataFrame({"sex": [None] * len(Y)})}, DataError, "has no values"),
        (
            {"frame": pl.DataFrame({"sex": pl.Series([f"p{i}" for i in range(len(Y))])})},
            ConfigError,
            "over 100 values: '4,000 values'",
        ),
        ({"scores": np.where(np.arange(len(Y)) == 7, np.nan, SCORES)}, DataError, "row 7"),
        ({"frame": FRAME.clear()}, DataError, "different lengths: '0 and 4000 rows'"),
        (
            {"y": Y[:0], "scores": SCORES[:0], "frame": FRAME.clear()},
            DataError,
            "no labelled rows",
        ),
    ],
)
def test_bad_inputs_are_named(change, error, needle):
    chosen = {
        "protected": ("sex",),
        "bands": {},
        "frame": FRAME,
        "y": Y,
        "scores": SCORES,
        **change,
    }
    asked = settings(*chosen["protected"], bands=chosen["bands"])
    with pytest.raises(error, match=needle):
        find_fairness(chosen["y"], chosen["scores"], chosen["frame"], "binary", asked)
