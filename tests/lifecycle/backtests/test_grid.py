from __future__ import annotations

import pytest

from gleis.config.settings import DriftTrigger, TriggerSettings
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.backtests.grid import choose_policies, grid_policies, read_grid, trigger_keys

OWN = TriggerSettings(drift=DriftTrigger(block="5d"), cooldown="14d")


def test_every_combination_on_top_of_the_project():
    found = grid_policies(
        {"triggers.drift.min_effect": [0.05, 0.1], "triggers.cooldown": ["7d", "14d"]}, OWN
    )
    assert [policy.name for policy in found] == [
        "min_effect=0.05 cooldown=7d",
        "min_effect=0.05 cooldown=14d",
        "min_effect=0.1 cooldown=7d",
        "min_effect=0.1 cooldown=14d",
    ]
    assert found[0].triggers == TriggerSettings(
        drift=DriftTrigger(block="5d", min_effect=0.05), cooldown="7d"
    )
    assert found[0].varied == {"triggers.drift.min_effect": "0.05", "triggers.cooldown": "7d"}


def test_names_tell_settings_of_one_name_apart():
    grid = {"triggers.drift.block": ["1d"], "triggers.performance.block": ["2d"]}
    assert grid_policies(grid, OWN)[0].name == "drift.block=1d performance.block=2d"


def test_a_setting_may_be_left_out_and_a_trigger_switched_on():
    without, every = grid_policies({"triggers.drift": ["none", {"min_effect": 0.2}]}, OWN)
    assert without.triggers.drift is None
    assert every.triggers.drift == DriftTrigger(min_effect=0.2)
    (on,) = grid_policies({"triggers.performance.min_effect": [0.02]}, OWN)
    assert on.triggers.performance.min_effect == 0.02


def test_monitors_watch_by_the_policy_and_else_as_the_project():
    strict = grid_policies({"triggers.drift.min_effect": [0.5]}, OWN)[0]
    assert strict.watched(OWN).drift.min_effect == 0.5
    never = choose_policies(["never"], {}, OWN)[0]
    assert never.triggers == TriggerSettings()
    assert never.watched(OWN).drift == OWN.drift


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("triggers.cooldown=7d, 14d", ["7d", "14d"]),
        ("triggers.drift.min_effect=0.1", [0.1]),
        ('triggers.schedule=["0 0 1,15 * *", "none"]', ["0 0 1,15 * *", "none"]),
        ('triggers.quiet=[["22:00-06:00", "sat"], []]', [["22:00-06:00", "sat"], []]),
        ("triggers.drift={ min_effect = 0.1, block = '1d' }", [{"min_effect": 0.1, "block": "1d"}]),
    ],
)
def test_values_are_separated_by_commas_or_a_list(text, values):
    assert list(read_grid([text]).values()) == [values]


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (["params.max_iter=1,2"], "params.max_iter is none: 'params.max_iter'"),
        (["triggers.drfit.min_effect=1"], r"Did you mean triggers\.drift\.min_effect\?"),
        (["triggers.cooldown=1x"], "triggers.cooldown is not a duration: 'triggers.cooldown=1x'"),
        (["triggers.cooldown=none"], "Expected `str`, got `null`"),
        (["triggers.drift.min_effect=abc"], "Expected `float`"),
        (["triggers.budget=0 per month"], "not a number of retrainings"),
        (["triggers.quiet=[['25:00-26:00']]"], "names no time of the day: 25:00"),
        (["triggers.cooldown"], "wants KEY=VALUE"),
        (["triggers.cooldown="], "wants KEY=VALUE"),
        (["triggers.cooldown=1d,,2d"], "has an empty value"),
        (["triggers.cooldown=[]"], "has no values for triggers.cooldown"),
        (["triggers.cooldown=1d", "triggers.cooldown=2d"], "varies triggers.cooldown twice"),
        (["triggers.drift=none", "triggers.drift.block=1d"], "which is in it"),
        (
            [f"triggers.new_labels={','.join(str(n) for n in range(1, 1001))}"],
            "makes 1,000 policies, and at most 64 are replayed: '1000 of triggers.new_labels'",
        ),
    ],
)
def test_a_grid_that_makes_no_sense(texts, what):
    with pytest.raises(ConfigError, match=what) as caught:
        grid_policies(read_grid(texts), OWN)
    assert caught.value.field == "--grid"
    assert caught.value.remedy


def test_what_is_replayed_where_nothing_is_named():
    grid = {"triggers.cooldown": ["7d"]}
    assert names(None, {}) == ["never", "project"]
    assert names(None, grid) == ["never", "project", "cooldown=7d"]
    assert names(["monthly", "monthly"], grid) == ["monthly", "cooldown=7d"]
    same = {"triggers.cooldown": ["14d"]}
    assert names(None, same) == ["never", "cooldown=14d"], "it is the project's"


def names(policies, grid):
    return [policy.name for policy in choose_policies(policies, grid, OWN)]


def test_all_trigger_settings_can_be_varied():
    assert {"triggers.schedule", "triggers.quiet", "triggers.performance.before_labels"} < set(
        trigger_keys()
    )
