from __future__ import annotations

import pytest

from gleis.config.settings import (
    EvidenceSettings,
    FairnessSettings,
    ProjectSettings,
    Settings,
)
from gleis.contracts.errors import ConfigError
from gleis.governance.gate_checks import check_gates


def settings(gates, task="binary", slices=("carrier",), protected=("sex", "race")):
    return Settings(
        project=ProjectSettings(name="p", module="p", task=task, target="late"),
        evidence=EvidenceSettings(slices=slices),
        fairness=FairnessSettings(protected=protected),
        gates=gates,
    )


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("rocauc", ">= 0.6", "gates.rocauc.*Did you mean roc_auc"),
        ("rmse", "<= 1", "binary task has no figure"),
        ("roc_auc", "at least 0.6", "gates.roc_auc is not a rule"),
        ("slices.carrier.UA.rocauc", ">= 0.6", "slices of a binary task.*Did you mean roc_auc"),
        ("slices.carrier.UA.accuracy", ">= 0.6", "Known: roc_auc, log_loss, brier"),
        ("slices.carrier.UA.roc_auc", "better than baseline", "only figures of all test rows"),
        ("slices.carrier.roc_auc", ">= 0.6", "does not name a slice"),
        ("slices.origin.JFK.roc_auc", ">= 0.6", "not in evidence.slices: 'origin'"),
        ("slices.worst.rmse_ratio", "<= 2", "worst slice of a binary task has no such figure"),
        ("slices.worst.log_los_ratio", "<= 2", "Did you mean log_loss_ratio"),
        ("fairness.gender.selection_rate_difference", "<= 0.1", "not in fairness.protected"),
        ("fairness.rase.selection_rate_difference", "<= 0.1", "Did you mean race"),
        ("fairness.sex*age.selection_rate_difference", "<= 0.1", "not in fairness.protected"),
        ("fairness.sex.selection_rate_difference", "better than champion", "only figures of all"),
        ("robustness.roc_auc_drop", "<= 0.1", "does not name what was done"),
        ("robustness.noise_10pct.rmse_drop", "<= 0.1", "binary task has no figure"),
        ("robustness.noise_10pc.log_loss_drop", "<= 0.1", "Did you mean noise_10pct"),
        ("calibration_slope", "better than baseline", "it is best at 1"),
        ("calibration_slop", ">= 0.8", "binary task has no figure"),
    ],
)
def test_gates_that_could_never_be_answered(name, rule, said):
    with pytest.raises(ConfigError, match=said) as caught:
        check_gates(settings({"roc_auc": ">= 0.6", name: rule}))
    assert caught.value.field == f"gates.{name}"


def test_a_gate_on_groups_needs_protected_columns():
    with pytest.raises(ConfigError, match=r"fairness\.protected names no column"):
        check_gates(settings({"fairness.sex.x": "<= 0.1"}, protected=()))


def test_gates_that_can_be_answered():
    check_gates(
        settings(
            {
                "roc_auc": (">= 0.6", "better than champion"),
                "brier": "better than baseline",
                "log_loss": "no worse than champion by 0.01",
                "leakage": "none",
                "simpler": "must lose by 0.01",
                "slices.carrier.9.E.log_loss": "<= 1",
                "slices.worst.log_loss_ratio": "<= 1.5",
                "fairness.sex.equalized_odds_difference": "<= 0.1",
                "fairness.race*sex.equalized_odds_difference": "<= 0.1",
                "fairness.sex*race.equalized_odds_difference": "<= 0.1 by value",
                "fairness.generalized_entropy_index": "<= 0.1",
                "fairness.sex.female.selection_rate": ">= 0.5",
                "robustness.noise_10pct.roc_auc_drop": "<= 0.02",
                "robustness.adversarial_1pct.flips": "<= 0.02",
                "calibration_slope": (">= 0.8", "<= 1.25"),
                "slices.carrier.9.E.calibration_gap": "<= 0.1",
                "importance.zip_code": "<= 0.01",
            }
        )
    )
    check_gates(settings({"rmse": "<= 3"}, task="regression"))
    check_gates(settings({}, task="multiclass"))


def test_the_worst_slice_needs_no_slice_column():
    check_gates(settings({"slices.worst.brier": "<= 0.3"}, slices=()))
