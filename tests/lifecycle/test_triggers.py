from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.contracts.alarm import Alarm
from gleis.lifecycle.triggers import Situation, decide, next_scheduled, on_demand

TRAINED = datetime(2013, 4, 1, tzinfo=UTC)
ALL = TriggerSettings(drift=DriftTrigger(), performance=PerformanceTrigger())


def alarm(kind, day=5):
    return Alarm(
        id=f"{kind}-{day}",
        kind=kind,
        at=TRAINED + timedelta(days=day),
        subject="temp",
        also=(),
        evidence=4.0,
        threshold=1.3,
        promise="at most 1 false alarm per year",
        effect=0.4,
        since=None,
        rows=100,
        version=1,
        message=f"{kind} changed",
    )


def situation(days=10.0, labels=0, alarms=()):
    now = TRAINED + timedelta(days=days)
    return Situation(now=now, trained=TRAINED, new_labels=labels, alarms=alarms)


def test_nothing_happens_without_a_reason():
    assert decide(ALL, situation()) is None
    assert decide(TriggerSettings(), situation(9999, 10**9, (alarm("drift"),))) is None


def test_drift_and_performance_need_their_trigger():
    for kind in ("drift", "performance"):
        decision = decide(ALL, situation(alarms=(alarm(kind),)))
        assert decision.retrain
        assert decision.kind == kind
        assert decision.alarms == (f"{kind}-5",)
    assert (
        decide(TriggerSettings(drift=DriftTrigger()), situation(alarms=(alarm("performance"),)))
        is None
    )


def test_performance_comes_first():
    decision = decide(ALL, situation(alarms=(alarm("drift"), alarm("performance"))))
    assert decision.kind == "performance"


def test_new_labels():
    triggers = TriggerSettings(new_labels=100)
    assert decide(triggers, situation(labels=99)) is None
    assert decide(triggers, situation(labels=100)).kind == "new_labels"


@pytest.mark.parametrize(
    ("line", "days", "due"),
    [
        ("every 30d", 29.9, False),
        ("every 30d", 30, True),
        ("0 0 1 * *", 29, False),
        ("0 0 1 * *", 30, True),
    ],
)
def test_schedule(line, days, due):
    decision = decide(TriggerSettings(schedule=line), situation(days))
    assert (decision is not None) == due


def test_cooldown_waits_and_says_until_when():
    triggers = TriggerSettings(drift=DriftTrigger(), cooldown="30d")
    waiting = decide(triggers, situation(10, alarms=(alarm("drift"),)))
    assert not waiting.retrain
    assert "2013-05-01 00:00" in waiting.reason
    assert decide(triggers, situation(30, alarms=(alarm("drift"),))).retrain


def test_cron_is_in_utc():
    assert next_scheduled("0 3 1 * *", TRAINED) == datetime(2013, 4, 1, 3, tzinfo=UTC)


def test_on_demand_names_who():
    decision = on_demand(TRAINED, "ann@desk")
    assert decision.retrain
    assert "ann@desk" in decision.reason


def test_a_failed_training_is_tried_again_after_an_hour():
    failed = msgspec.structs.replace(situation(), failed="the source is away", kind="drift")
    soon = msgspec.structs.replace(failed, now=TRAINED + timedelta(minutes=59))
    assert decide(ALL, soon) is None
    again = decide(ALL, msgspec.structs.replace(failed, now=TRAINED + timedelta(hours=1)))
    assert again.retrain
    assert again.kind == "drift"
    assert "the source is away" in again.reason


def test_two_wishes_at_one_moment_are_two_decisions():
    assert on_demand(TRAINED, "me").id != on_demand(TRAINED, "me").id
