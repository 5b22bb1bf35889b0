"""States of alarms: facts of the ledger, and what follows from them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms_made import NIGHT, an_alarm
from gleis.config.load import load_settings
from gleis.config.settings import DriftTrigger, TriggerSettings
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.errors import BlockedError, ConfigError, RegistryError
from gleis.contracts.notice import Handled
from gleis.lifecycle.alarms.alarms import (
    ProjectAlarms,
    alarm_state,
    find_answered,
    held_back,
    resolve_answered,
)
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.triggers import Situation, decide
from gleis.store.home import Home
from small_projects import make_shifting

HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return SimulatedClock(NIGHT)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / ".gleis")
    yield home
    home.close()


@pytest.fixture
def alarms(tmp_path, home, clock):
    settings = load_settings(make_shifting(tmp_path / "p"), environment={})
    return ProjectAlarms(settings, home, clock)


def _champion(number, at):
    version = Version(number=number, digest="", location="", run="r", registered_at=at, passed=True)
    return Deployment(alias="champion", version=version, at=at, reason="", by="loop", cause="")


def test_an_alarm_goes_through_its_states_and_the_ledger_has_them_all(alarms, home, clock):
    alarm = an_alarm()
    Journal(home.facts).write_alarm(alarm)
    (one,) = alarms.standing()
    assert one.state.status == "open"
    clock.move_to(NIGHT + HOUR)
    assert alarms.acknowledge(one.short, by="jo@host", note="looking").state.words == (
        "acknowledged by jo@host: looking"
    )
    snoozed = alarms.snooze(one.short, NIGHT + 3 * HOUR, by="jo@host").state
    assert snoozed.words == "snoozed by jo@host until 2013-04-01 06:12 UTC"
    clock.move_to(NIGHT + 3 * HOUR)
    assert alarms.find(one.short).state.words == "open again: the snooze by jo@host ended"
    alarms.resolve(one.short, by="kim@host", note="sensor replaced")
    assert alarms.standing() == []
    story = alarms.show(alarm.id)
    assert [h.status for h in story.history] == ["acknowledged", "snoozed", "resolved"]
    assert story.state.words == "resolved by kim@host: sensor replaced"
    assert home.facts.verify() == 4
    with pytest.raises(BlockedError, match=r"resolved already.*kim@host"):
        alarms.acknowledge(one.short, by="jo@host")


def test_a_snooze_that_ends_in_the_past_is_refused(alarms, home):
    Journal(home.facts).write_alarm(an_alarm())
    with pytest.raises(ConfigError, match="future"):
        alarms.snooze("drift", NIGHT, by="jo@host")


def test_an_alarm_is_named_by_the_beginning_of_either_id(alarms, home):
    first, second = an_alarm(1), an_alarm(2, kind="labels", id="labels-v2-1", subject="labels")
    for alarm in (first, second):
        Journal(home.facts).write_alarm(alarm)
    for ref in ("labels", second.id, alarms.find(second.id).short[:4]):
        assert alarms.find(ref).alarm == second
    Journal(home.facts).write_alarm(an_alarm(3))
    with pytest.raises(RegistryError, match="More than one") as several:
        alarms.find("drift-v2")
    assert alarms.find(first.id).short in several.value.remedy


def test_an_unknown_id_is_told_the_nearest(alarms, home):
    with pytest.raises(RegistryError, match="no alarms yet"):
        alarms.find("x")
    Journal(home.facts).write_alarm(an_alarm())
    short = alarms.standing()[0].short
    with pytest.raises(RegistryError, match=f"Did you mean {short}"):
        alarms.find(short[:5] + "x")
    with pytest.raises(RegistryError, match="gleis alarms --all"):
        alarms.find("")


def test_open_ones_come_first_and_the_newest_of_them(alarms, home):
    journal = Journal(home.facts)
    for number in (1, 2, 3):
        journal.write_alarm(an_alarm(number, at=NIGHT - (4 - number) * HOUR))
    alarms.resolve(an_alarm(3).id, by="jo@host")
    shown = [one.alarm.rows - 48_000 for one in alarms.all()]
    assert shown == [2, 1, 3]


def test_harmless_ones_are_recorded_unless_the_project_asks(tmp_path, alarms, home, clock):
    Journal(home.facts).write_alarm(an_alarm(harmless=True))
    assert [one.state.status for one in alarms.all()] == ["recorded"]
    assert alarms.standing() == []
    flags = {"triggers.drift.harmless": "alarm"}
    asked = load_settings(tmp_path / "p", flags, environment={})
    assert [one.state.status for one in ProjectAlarms(asked, home, clock).all()] == ["open"]


def test_what_answers_an_alarm_resolves_it():
    alarm, later = an_alarm(), NIGHT + HOUR
    assert find_answered([alarm], {}, _champion(2, NIGHT - HOUR), later) == []
    assert find_answered([alarm], {}, _champion(3, NIGHT - HOUR), later) == []
    (by_version,) = find_answered([alarm], {}, _champion(4, NIGHT), later)
    assert (by_version.by, by_version.note) == ("version 4", "promoted after the alarm")
    missing = an_alarm(kind="labels")
    assert find_answered([missing], {}, _champion(4, NIGHT), later) == []
    assert find_answered([missing], {}, None, later, gone=[missing])[0].by == "the later rows"
    (by_check,) = find_answered([an_alarm(confirmed=False)], {}, None, later)
    assert by_check.by == "the later check"
    assert find_answered([an_alarm(confirmed=True)], {}, None, later) == []
    assert find_answered([alarm], {alarm.id: [by_version]}, _champion(5, later), later) == []


def test_it_is_resolved_once(home):
    journal = Journal(home.facts)
    journal.write_alarm(an_alarm())
    assert len(resolve_answered(journal, _champion(4, NIGHT), NIGHT)) == 1
    assert resolve_answered(journal, _champion(4, NIGHT), NIGHT) == []


@pytest.mark.parametrize(
    ("status", "starts"), [(None, True), ("acknowledged", True), ("snoozed", False),
                           ("resolved", False)],
)  # fmt: skip
def test_which_states_hold_a_retraining_back(status, starts):
    alarm = an_alarm()
    done = [] if status is None else [
        Handled(alarm=alarm.id, status=status, at=NIGHT, by="jo@host", until=NIGHT + HOUR)
    ]  # fmt: skip
    held = held_back([alarm], {alarm.id: done}, NIGHT)
    assert (alarm.id not in held) == starts
    situation = Situation(now=NIGHT, trained=NIGHT - HOUR, new_labels=0, alarms=[alarm], held=held)
    decision = decide(TriggerSettings(drift=DriftTrigger()), situation)
    assert (decision is not None and decision.retrain) == starts
    assert held_back([alarm], {alarm.id: done}, NIGHT + HOUR) == (
        {} if status != "resolved" else {alarm.id: held[alarm.id]}
    )


@given(
    st.lists(st.sampled_from(["acknowledged", "snoozed", "resolved"]), max_size=6),
    st.integers(-5, 5),
)
def test_the_last_fact_counts_whatever_the_clock_says(statuses, hours):
    """A clock that runs backwards moves the end of a snooze, nothing else."""
    alarm, now = an_alarm(), NIGHT + hours * HOUR
    handled = [
        Handled(alarm=alarm.id, status=s, at=NIGHT, by="jo@host", until=NIGHT + HOUR)
        for s in statuses
    ]
    state = alarm_state(alarm, handled, now)
    if not statuses:
        assert state.status == "open"
    elif statuses[-1] == "snoozed":
        assert state.status == ("open" if now >= NIGHT + HOUR else "snoozed")
    else:
        assert state.status == statuses[-1]
