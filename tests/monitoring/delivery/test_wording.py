"""What people read: the same facts in every message, and the most urgent first."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from alarms_made import NIGHT, a_notice, an_alarm
from gleis.contracts.alarm import AlarmKind
from gleis.contracts.notice import AlarmState, Told, Waiting, short_id
from gleis.monitoring.delivery.wording import (
    certainty,
    describe,
    headline,
    meaning,
    plain_text,
    told_words,
    waiting_words,
)


@pytest.mark.parametrize("kind", get_args(AlarmKind))
def test_every_kind_of_alarm_has_words(kind):
    alarm = an_alarm(kind=kind, subject="temp", moved=(), expected=None)
    assert headline(alarm)
    assert meaning(alarm)
    text = plain_text(a_notice(alarm=alarm))
    assert f"{kind} alarm: {headline(alarm)}" in text
    assert short_id(alarm.id) in text


def test_what_matters_at_night_comes_first():
    lines = plain_text(a_notice()).splitlines()
    assert lines[0] == "punctuality: drift alarm: `temp` rose from a median of 35.1 to 52"
    labels = [line.split(":")[0] for line in lines[2:] if line[:1].isalpha()]
    assert labels[:6] == [
        "What changed", "What it means", "What gleis does", "How sure", "Since", "Noticed",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 100


def test_what_an_expected_change_means():
    def said(low, high, harmless=None):
        expected = msgspec.structs.replace(an_alarm().expected, low=low, high=high)
        return meaning(an_alarm(expected=expected, harmless=harmless))

    assert said(0.004, 0.02).endswith("surely worse")
    assert said(-0.004, 0.02).endswith("may be none")
    assert said(-0.02, -0.004).endswith("not worse")
    assert said(-0.004, 0.002, harmless=True).endswith("too little to matter")


def test_what_later_rows_said_is_told():
    assert "later" not in certainty(an_alarm())
    assert certainty(an_alarm(confirmed=True)).endswith("later rows confirm it")
    assert certainty(an_alarm(confirmed=False)).endswith("later rows do not confirm it")


def test_a_message_of_a_monitor_without_columns_stands_as_it_is():
    alarm = an_alarm(kind="labels", moved=(), also=(), expected=None, since=None, promise="1 a day",
                     message="labels of 2 Mar stay away: 3 of 400 came; 1 a day")  # fmt: skip
    said = dict(describe(alarm))
    assert said["What changed"] == "labels of 2 Mar stay away: 3 of 400 came"
    assert said["Since"] == "not known"


def test_a_reminder_says_who_had_snoozed_it():
    state = AlarmState(status="open", at=NIGHT, by="jo@host")
    text = plain_text(a_notice("reminder", state=state))
    assert "drift alarm still open" in text
    assert "open again: the snooze by jo@host ended" in text
    assert "gleis alarms snooze" in text


def test_a_resolution_asks_for_nothing():
    text = plain_text(a_notice("resolved", "resolved"))
    assert "resolved by version 4" in text
    assert "What you can do" not in text


def test_deliveries_in_words():
    told = Told(notice="n", alarm="a", event="alarm", receiver="slack x", kind="slack",
                outcome="given up", at=NIGHT, attempts=78, said="HTTP 500")  # fmt: skip
    assert told_words(told) == "alarm to slack x: given up, at attempt 78 (HTTP 500)"
    waiting = Waiting(notice="n", alarm="a", event="alarm", receiver="slack x", since=NIGHT)
    assert waiting_words(waiting) == "alarm to slack x: 0 attempts"
    again = msgspec.structs.replace(waiting, attempts=1, attempted=NIGHT, pause=60, said="busy")
    assert waiting_words(again) == (
        "alarm to slack x: 1 attempt, next 2013-04-01 03:13 UTC; the last one: busy"
    )
