from __future__ import annotations

import pytest

from gleis.config.settings import FairnessSettings, ProjectSettings, Settings
from gleis.contracts.errors import ConfigError
from gleis.evidence.fairness import binary, multiclass, regression
from gleis.governance.fairness_gates import check_fairness_gate


def settings(task="binary", protected=("sex", "race", "age"), favourable=None):
    return Settings(
        project=ProjectSettings(name="p", module="p", task=task, target="y"),
        fairness=FairnessSettings(protected=protected, favourable=favourable),
    )


@pytest.mark.parametrize(
    ("task", "favourable", "definitions"),
    [
        ("binary", None, binary.DISPARITIES),
        ("multiclass", None, multiclass.DISPARITIES),
        ("multiclass", "yes", [*binary.DISPARITIES, *multiclass.DISPARITIES]),
        ("regression", None, regression.DISPARITIES),
    ],
)
def test_every_disparity_of_a_task_can_be_asked(task, favourable, definitions):
    assert len(definitions) > 3
    for each in definitions:
        for attribute in ("sex", "race*sex", "age*sex*race"):
            check_fairness_gate(
                f"fairness.{attribute}.{each.name}", settings(task, favourable=favourable)
            )


@pytest.mark.parametrize(
    ("name", "task", "said"),
    [
        ("fairness.sex.disparate_impact", "binary", "Write statistical_parity_ratio, which"),
        ("fairness.sex.selection_rate_difference", "binary", "Write statistical_parity_difference"),
        ("fairness.sex.equalised_odds_difference", "binary", "mean equalized_odds_difference"),
        ("fairness.sex.f.selection_rat", "binary", "no such rate.*mean selection_rate"),
        ("fairness.theil_indx", "binary", "over individuals.*Did you mean theil_index"),
        ("fairness.theil_index", "regression", "over individuals of a regression task.*none"),
        ("fairness.sex.equalized_odds_difference", "regression", "between groups of a regression"),
        ("fairness.sex.equalized_odds_ratio", "multiclass", "between groups of a multiclass"),
        ("fairness.religion.equalized_odds_ratio", "binary", "not in fairness.protected"),
    ],
)
def test_what_no_run_measures(name, task, said):
    with pytest.raises(ConfigError, match=said) as caught:
        check_fairness_gate(name, settings(task))
    assert caught.value.field == f"gates.{name}"


def test_individuals_and_groups():
    for name in ("theil_index", "consistency", "sex.f.selection_rate", "sex*race.f*b.roc_auc"):
        check_fairness_gate(f"fairness.{name}", settings())
    check_fairness_gate("fairness.sex.f.mae", settings("regression"))
    check_fairness_gate("fairness.sex.f.selection_rate", settings("multiclass", favourable="yes"))
