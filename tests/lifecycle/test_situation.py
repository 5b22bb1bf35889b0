"""Triggers over months of ticks, with the facts they write and read."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.config.durations import parse_budget
from gleis.config.quiet import QuietHours
from gleis.config.settings import DriftTrigger, TriggerSettings
from gleis.contracts.alarm import DRY_RUN, Alarm
from gleis.contracts.notice import Handled
from gleis.lifecycle.journal import Journal, Trained
from gleis.lifecycle.situation import find_situation
from gleis.lifecycle.triggers import decide
from gleis.store.facts import SqliteFacts

START = datetime(2013, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DRIFT = TriggerSettings(drift=DriftTrigger())


class Life:
    """A journal, a clock and what happens, without models."""

    def __init__(self, folder, triggers, alarms=(), a_day=0):
        self.facts = SqliteFacts(Path(folder) / "gleis.db", durable=False)
        self.journal = Journal(self.facts)
        self.triggers = triggers
        self.alarms = sorted(alarms)
        self.a_day = a_day
        self.trained(START, "demand", 0)

    def trained(self, now, kind, labels, error=None):
        name = f"{now:%Y%m%dT%H%M%S}-{kind}"
        made = Trained(decision=name, at=now, labels=labels, kind=kind, error=error)
        self.facts.append_once("trained", name, msgspec.json.encode(made), now)

    def tick(self, now):
        labels = int((now - START).total_seconds() * self.a_day / 86400)
        while self.alarms and START + self.alarms[0] * HOUR <= now:
            self.journal.write_alarm(drift(START + self.alarms.pop(0) * HOUR))
        decision = decide(self.triggers, find_situation(self.journal, self.triggers, labels, now))
        if decision is not None:
            self.journal.write_decision(decision)
        if decision is not None and decision.retrain:
            self.trained(now, decision.kind, labels)
        return decision

    def run(self, hours, step=1):
        for hour in range(step, hours + 1, step):
            self.tick(START + hour * HOUR)
        return [t.at for t in self.journal.trainings() if t.kind != "demand"]


def drift(at):
    return Alarm(
        id=f"drift-{at:%Y%m%dT%H%M}",
        kind="drift",
        at=at,
        subject="temp",
        also=(),
        evidence=4.0,
        threshold=1.3,
        promise="at most 1 false alarm per year",
        effect=0.4,
        since=None,
        rows=100,
        version=1,
        message="temp drifted",
    )


def hours(moments):
    return [int((moment - START) / HOUR) for moment in moments]


budgets = st.sampled_from([None, "1 per day", "2 per week", "3 per month"])
quiets = st.sampled_from([(), ("22:00-06:00",), ("sat-sun", "12:00-13:00"), ("mon 03:00-02:00",)])
some_triggers = st.builds(
    TriggerSettings,
    drift=st.sampled_from([None, DriftTrigger()]),
    schedule=st.sampled_from([None, "every 2d", "0 4 * * *"]),
    new_labels=st.sampled_from([None, 300]),
    cooldown=st.sampled_from(["0s", "10h", "5d"]),
    budget=budgets,
    quiet=quiets,
)


@settings(max_examples=25, deadline=None)
@given(some_triggers, st.lists(st.integers(1, 1000), max_size=8, unique=True))
def test_budget_quiet_hours_and_repetition(triggers, alarms):
    """Six weeks of ticks: never beyond the budget, never within quiet hours, always the same."""
    told = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            life = Life(folder, triggers, alarms, a_day=70)
            started = life.run(1008, step=2)
            told.append([msgspec.json.encode(d) for d in life.journal.decisions()])
            life.facts.close()
    assert told[0] == told[1]
    quiet = QuietHours(triggers.quiet)
    assert all(quiet.until(moment) == moment for moment in started)
    if triggers.budget is not None:
        count, period = parse_budget(triggers.budget, "triggers.budget")
        for begin in started:
            assert sum(begin <= moment < begin + period for moment in started) <= count


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), budgets, quiets, st.sampled_from(["0s", "10h", "5d"]))
def test_what_is_held_back_is_not_lost(hour, budget, quiet, cooldown):
    """One alarm retrains once: at once, or at the moment that was told when it was held back."""
    triggers = msgspec.structs.replace(DRIFT, budget=budget, quiet=quiet, cooldown=cooldown)
    with tempfile.TemporaryDirectory() as folder:
        life = Life(folder, triggers, [hour])
        # Two retrainings by a trigger before it use up what there is of a budget.
        life.trained(START - 30 * HOUR, "drift", 0)
        life.trained(START - 20 * HOUR, "drift", 0)
        started = life.run(1100)[2:]
        held = [d for d in life.journal.decisions() if d.until is not None]
        life.facts.close()
    assert len(started) == 1
    assert len(held) <= 1, "a wait is recorded once"
    assert started[0] == (held[0].until if held else START + hour * HOUR)


def test_a_dry_run_decides_as_often_as_it_would_have_retrained(tmp_path):
    """Cooldown, budget and the calendar go on as if it had been done; nothing repeats each tick."""
    alarms = [30, 40, 200, 600]
    triggers = TriggerSettings(
        drift=DriftTrigger(), cooldown="3d", budget="2 per month", quiet=("00:00-06:00",)
    )
    (tmp_path / "live").mkdir()
    (tmp_path / "dry").mkdir()
    live = Life(tmp_path / "live", triggers, alarms)
    wet = hours(live.run(1008))
    dry = Life(tmp_path / "dry", msgspec.structs.replace(triggers, dry_run=True), alarms)
    assert dry.run(1008) == []
    would = [d.at for d in dry.journal.decisions() if d.held_back == DRY_RUN]
    assert hours(would) == wet == [78, 200, 798]
    for life in (live, dry):
        life.facts.close()


def test_a_dry_run_of_a_schedule_and_of_labels(tmp_path):
    triggers = TriggerSettings(schedule="every 5d", new_labels=250, dry_run=True)
    life = Life(tmp_path, triggers, a_day=100)
    assert life.run(24 * 11, step=6) == []
    decisions = life.journal.decisions()
    assert hours(d.at for d in decisions) == [60, 120, 180, 240]
    assert {d.kind for d in decisions} == {"new_labels"}
    life.facts.close()


def test_after_a_dry_run_only_what_was_trained_counts(tmp_path):
    life = Life(tmp_path, msgspec.structs.replace(DRIFT, dry_run=True), [10])
    life.run(24)
    life.triggers = DRIFT
    decision = life.tick(START + 25 * HOUR)
    assert decision.retrain
    assert decision.alarms == ("drift-20130401T1000",)
    life.facts.close()


@pytest.mark.parametrize("error", [None, "the source is away"])
def test_what_a_person_starts_and_what_breaks_off_is_not_in_the_budget(tmp_path, error):
    triggers = msgspec.structs.replace(DRIFT, budget="1 per month")
    life = Life(tmp_path, triggers, [30])
    life.trained(START + 20 * HOUR, "drift" if error else "demand", 0, error)
    if error:
        life.trained(START + 21 * HOUR, "demand", 0)
    assert hours(life.run(40))[-1] == 30
    life.facts.close()


def test_a_failure_is_tried_again_with_its_causes(tmp_path):
    life = Life(tmp_path, DRIFT)
    life.journal.write_alarm(drift(START + HOUR))
    situation = find_situation(life.journal, DRIFT, 0, START + HOUR * 2)
    decision = decide(DRIFT, situation)
    life.journal.write_decision(decision)
    life.journal.write_failure(decision, "the source is away", 0)
    again = decide(DRIFT, find_situation(life.journal, DRIFT, 0, START + HOUR * 4))
    assert again.retrain
    assert [cause.reason for cause in again.causes] == [
        "again, after a failure: the source is away",
        "temp drifted",
    ]
    life.facts.close()


def test_a_snoozed_alarm_rests_and_fires_when_it_wakes(tmp_path):
    life = Life(tmp_path, DRIFT, [10])
    alarm, wakes = drift(START + 10 * HOUR), START + 30 * HOUR
    snoozed = Handled(alarm=alarm.id, status="snoozed", at=START, by="jo", note="", until=wakes)
    life.journal.write_handled(snoozed)
    assert life.run(40) == [wakes]
    life.facts.close()


def test_before_the_first_training_there_is_nothing_to_decide(tmp_path):
    facts = SqliteFacts(tmp_path / "gleis.db", durable=False)
    assert find_situation(Journal(facts), DRIFT, 0, START) is None
    facts.close()
