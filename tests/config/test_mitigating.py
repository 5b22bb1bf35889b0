from __future__ import annotations

import msgspec
import pytest

from gleis.config.mitigating import check_mitigation
from gleis.config.settings import FairnessSettings, ProjectSettings, Settings
from gleis.contracts.errors import ConfigError

PROJECT = ProjectSettings(name="p", module="p", task="binary", target="paid")


def settings(task="binary", **fairness):
    chosen = {"protected": ("sex", "race"), "mitigate": "reweighing", **fairness}
    project = msgspec.structs.replace(PROJECT, task=task)
    return Settings(project=project, fairness=FairnessSettings(**chosen))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mitigate": "reweighting"}, r"no mitigation: 'reweighting'. Did you mean 'reweighing'"),
        ({"mitigate": "xyz"}, r"no mitigation: 'xyz'. There are reweighing, "),
        ({"task": "regression"}, r"not defined for a regression task.*bounded_group_loss"),
        (
            {"task": "multiclass", "mitigate": "reject_option"},
            r"not defined for a multiclass task: 'reject_option'. Take one of reweighing, ",
        ),
        ({"protected": ()}, r"no protected column is named"),
        ({"mitigate_for": ("age",)}, r"mitigate_for names a column .*'age'"),
        ({"strength": 2.0}, r"strength is not between 0 and 1: 2.0"),
        ({"constraint": "equalized_odds"}, r"reweighing has one aim only.*'equalized_odds'"),
        (
            {"mitigate": "calibrated_equalized_odds", "constraint": "statistical_parity"},
            r"none that calibrated_equalized_odds knows.*Take one of equal_opportunity, ",
        ),
    ],
)
def test_what_cannot_be_had_is_said_with_what_can(wrong, said):
    with pytest.raises(ConfigError, match=said):
        check_mitigation(settings(**wrong))


def test_what_can_be_had_passes():
    check_mitigation(settings(mitigate_for=("sex",), strength=0.5))
    check_mitigation(settings(task="regression", mitigate="bounded_group_loss"))
    check_mitigation(settings(mitigate="reject_option", constraint="equalized_odds"))
    check_mitigation(settings(mitigate=None, protected=()))


def test_it_is_for_all_protected_columns_unless_some_are_named():
    assert settings().fairness.mitigated_columns == ("sex", "race")
    assert settings(mitigate_for=("race",)).fairness.mitigated_columns == ("race",)
    assert settings(mitigate=None).fairness.mitigated_columns == ()
