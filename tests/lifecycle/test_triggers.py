from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.contracts.alarm import DRY_RUN, Alarm, Expected
from gleis.lifecycle.triggers import Situation, decide, next_scheduled, on_demand

TRAINED = datetime(2013, 4, 1, tzinfo=UTC)
ALL = TriggerSettings(drift=DriftTrigger(), performance=PerformanceTrigger())


def alarm(kind, day=5, **facts):
    return Alarm(
        **({"since": None} | facts),
        id=f"{kind}-{day}",
        kind=kind,
        at=TRAINED + timedelta(days=day),
        subject="temp",
        also=(),
        evidence=4.0,
        threshold=1.3,
        promise="at most 1 false alarm per year",
        effect=0.4,
        rows=100,
        version=1,
        message=f"{kind} changed",
    )


def situation(days=10.0, labels=0, alarms=(), started=()):
    now = TRAINED + timedelta(days=days)
    return Situation(
        now=now,
        trained=TRAINED,
        new_labels=labels,
        alarms=alarms,
        started=[TRAINED + timedelta(days=day) for day in started],
    )


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


def test_every_trigger_that_fired_is_recorded():
    expected = Expected(figure="log_loss", before=0.5, change=0.03, low=0.01, high=0.05, rows=900)
    triggers = msgspec.structs.replace(ALL, schedule="every 5d", new_labels=10)
    alarms = (alarm("drift", 4, expected=expected), alarm("drift"), alarm("performance"))
    decision = decide(triggers, situation(10, 12, alarms))
    assert [cause.kind for cause in decision.causes] == [
        "performance", "drift", "schedule", "new_labels",
    ]  # fmt: skip
    assert decision.causes[1].alarms == ("drift-4", "drift-5")
    assert decision.causes[1].expected == expected
    assert decision.alarms == ("performance-5",)


def test_what_is_surely_harmless_is_recorded_and_retrains_nothing():
    harmless = (alarm("drift", harmless=True),)
    assert decide(ALL, situation(alarms=harmless)) is None
    asked = TriggerSettings(drift=DriftTrigger(harmless="alarm"))
    assert decide(asked, situation(alarms=harmless)).retrain
    both = (*harmless, alarm("drift", 6, harmless=False), alarm("drift", 7))
    assert decide(ALL, situation(alarms=both)).alarms == ("drift-6", "drift-7")


def test_an_alarm_that_was_found_wrong_is_no_reason():
    assert decide(ALL, situation(alarms=(alarm("drift", confirmed=False),))) is None
    assert decide(ALL, situation(alarms=(alarm("drift", confirmed=True),))).retrain


@pytest.mark.parametrize("kind", ["joint", "labels", "fairness", "service", "source", "estimate"])
def test_other_alarms_never_retrain_by_themselves(kind):
    everything = msgspec.structs.replace(ALL, schedule="every 99d", new_labels=99)
    assert decide(everything, situation(alarms=(alarm(kind),))) is None


def test_an_estimate_retrains_only_where_it_was_asked_for():
    early = TriggerSettings(performance=PerformanceTrigger(before_labels=True))
    decision = decide(early, situation(alarms=(alarm("estimate"),)))
    assert decision.retrain
    assert decision.kind == "performance"
    assert decision.alarms == ("estimate-5",)
    assert decide(early, situation(alarms=(alarm("fairness"),))) is None


def test_the_budget_counts_any_stretch_of_its_length():
    triggers = TriggerSettings(drift=DriftTrigger(), budget="2 per month")
    fired = (alarm("drift"),)
    assert decide(triggers, situation(29, alarms=fired, started=(0,))).retrain
    waiting = decide(triggers, situation(29, alarms=fired, started=(-50, 3, 20)))
    assert not waiting.retrain
    assert waiting.held_back == "budget"
    assert waiting.until == TRAINED + timedelta(days=33)
    assert decide(triggers, situation(33, alarms=fired, started=(-50, 3, 20))).retrain


def test_quiet_hours_hold_and_end():
    triggers = TriggerSettings(drift=DriftTrigger(), quiet=("22:00-06:00",))
    waiting = decide(triggers, situation(10 + 23 / 24, alarms=(alarm("drift"),)))
    assert waiting.held_back == "quiet hours"
    assert waiting.until == TRAINED + timedelta(days=11, hours=6)
    assert "2013-04-12 06:00" in waiting.reason
    assert decide(triggers, situation(11.25, alarms=(alarm("drift"),))).retrain


def test_a_wait_that_ends_in_quiet_hours_ends_with_them():
    """The moment that is told is the one at which it fires."""
    triggers = TriggerSettings(
        drift=DriftTrigger(), quiet=("00:00-09:00",), cooldown="12d", budget="1 per month"
    )
    waiting = decide(triggers, situation(10.5, alarms=(alarm("drift"),), started=(-20,)))
    assert waiting.held_back == "cooldown"
    assert waiting.until == TRAINED + timedelta(days=12, hours=9)


def test_a_dry_run_says_what_it_would_have_done():
    triggers = msgspec.structs.replace(ALL, dry_run=True)
    decision = decide(triggers, situation(alarms=(alarm("drift"),)))
    assert not decision.retrain
    assert decision.held_back == DRY_RUN
    assert decision.reason == "dry run, would have retrained because drift changed"
    resting = msgspec.structs.replace(triggers, cooldown="30d")
    assert decide(resting, situation(alarms=(alarm("drift"),))).held_back == "cooldown"


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


def test_a_training_is_tried_again_for_its_own_reasons_and_not_at_night():
    triggers = msgspec.structs.replace(ALL, quiet=("00:00-06:00",))
    causes = decide(ALL, situation(alarms=(alarm("drift"),))).causes
    failed = msgspec.structs.replace(
        situation(2 / 24), failed="the source is away", kind="drift", causes=causes
    )
    waiting = decide(triggers, failed)
    assert waiting.held_back == "quiet hours"
    again = decide(triggers, msgspec.structs.replace(failed, now=waiting.until))
    assert again.retrain
    assert again.alarms == ("drift-5",)
    third = decide(ALL, msgspec.structs.replace(failed, causes=again.causes))
    assert [cause.reason for cause in third.causes] == [
        "again, after a failure: the source is away",
        "drift changed",
    ]


def test_what_was_to_learn_from_since_a_change_does_so_again():
    since = TRAINED - timedelta(days=3)
    triggers = TriggerSettings(performance=PerformanceTrigger(since_change=100))
    changed = alarm("performance", since=since, labels_before=50)
    first = decide(triggers, msgspec.structs.replace(situation(alarms=(changed,)), labels=150))
    assert first.since == since
    failed = msgspec.structs.replace(
        situation(), failed="away", kind="performance", causes=first.causes, since=first.since
    )
    assert decide(triggers, failed).since == since


def test_what_a_person_started_is_tried_again_at_any_hour_and_in_a_dry_run():
    triggers = TriggerSettings(quiet=("00:00-06:00",), dry_run=True)
    failed = msgspec.structs.replace(situation(2 / 24), failed="away", kind="demand")
    assert decide(triggers, failed).retrain


def test_two_wishes_at_one_moment_are_two_decisions():
    assert on_demand(TRAINED, "me").id != on_demand(TRAINED, "me").id
