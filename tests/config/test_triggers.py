from __future__ import annotations

import pytest

from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.config.triggers import check_schedule, check_triggers
from gleis.contracts.errors import ConfigError


@pytest.mark.parametrize(
    "triggers",
    [
        TriggerSettings(),
        TriggerSettings(budget="4 per month", quiet=("22:00-06:00",), dry_run=True),
        TriggerSettings(schedule="0 3 1 * *", cooldown="14d", new_labels=1),
        TriggerSettings(drift=DriftTrigger(min_effect=0)),
    ],
)
def test_what_can_be_meant(triggers):
    check_triggers(triggers)


@pytest.mark.parametrize(
    ("triggers", "field", "seen"),
    [
        (TriggerSettings(budget="0 per month"), "triggers.budget", "0 per month"),
        (TriggerSettings(budget="1.5 per month"), "triggers.budget", "1.5 per month"),
        (TriggerSettings(budget="4"), "triggers.budget", "4"),
        (TriggerSettings(quiet=("sat", "25:00-26:00")), "triggers.quiet", "25:00-26:00"),
        (TriggerSettings(cooldown="a week"), "triggers.cooldown", "a week"),
        (TriggerSettings(schedule="99 0 * * *"), "triggers.schedule", "99 0 * * *"),
        (TriggerSettings(schedule="0 0 31 2 *"), "triggers.schedule", "0 0 31 2 *"),
        (TriggerSettings(schedule="every 0d"), "triggers.schedule", "every 0d"),
        (TriggerSettings(new_labels=0), "triggers.new_labels", "0"),
        (TriggerSettings(drift=DriftTrigger(min_effect=-1)), "triggers.drift.min_effect", "-1"),
        (
            TriggerSettings(performance=PerformanceTrigger(min_effect=float("nan"))),
            "triggers.performance.min_effect",
            "nan",
        ),
        (
            TriggerSettings(performance=PerformanceTrigger(since_change=3)),
            "triggers.performance.since_change",
            "3",
        ),
        (
            TriggerSettings(performance=PerformanceTrigger(block="5")),
            "triggers.performance.block",
            "5",
        ),
    ],
)
def test_what_cannot_names_key_and_value(triggers, field, seen):
    with pytest.raises(ConfigError) as caught:
        check_triggers(triggers)
    assert caught.value.field == field
    assert seen in str(caught.value)
    assert caught.value.remedy


def test_a_cron_line_may_be_that_of_another_key():
    with pytest.raises(ConfigError, match=r"monitor\.joint_at"):
        check_schedule("at night", "monitor.joint_at")
