"""Alarms as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gleis.lifecycle.alarms.alarms import AlarmStory, StandingAlarm
from gleis.lifecycle.decided import say_decision
from gleis.monitoring.delivery.wording import (
    age,
    commands,
    describe,
    first_words,
    handled_words,
    headline,
    moment,
    told_words,
    waiting_words,
)

COLUMNS = ("id", "state", "kind", "subject", "since (UTC)", "age", "what")


def alarm_row(one: StandingAlarm, now: datetime) -> tuple[object, ...]:
    """Return an alarm's row of the table."""
    alarm = one.alarm
    return (
        one.short,
        one.state.status,
        alarm.kind,
        alarm.subject,
        f"{alarm.since or alarm.at:%Y-%m-%d %H:%M}",
        age(now - alarm.at),
        first_words(alarm),
    )


def story_lines(story: AlarmStory) -> Iterator[str]:
    """Return everything that is known of an alarm, line by line; the first is a heading."""
    yield f"Alarm {story.short}: {headline(story.alarm)}"
    lines = [("State", f"{story.state.words}; {moment(story.state.at)}")]
    before = ""
    for label, text in [*lines, *describe(story.alarm), ("Id", story.alarm.id)]:
        yield f"  {'' if label == before else label:<14} {text}"
        before = label
    for heading, said in _sections(story):
        if said:
            yield heading
        yield from (f"  {line}" for line in said)


def _sections(story: AlarmStory) -> list[tuple[str, list[str]]]:
    standing = story.state.status not in {"resolved", "recorded"}
    todo = commands(story.alarm)[1:] if standing else []
    return [
        ("Decisions", [f"{moment(one.at)}  {say_decision(one)}" for one in story.decisions]),
        ("History", [f"{moment(one.at)}  {handled_words(one)}" for one in story.history]),
        ("Told", [f"{moment(one.at)}  {told_words(one)}" for one in story.told]),
        ("Not told yet", [waiting_words(one) for one in story.waiting]),
        ("What you can do", [f"{command:<46} {effect}" for command, effect in todo]),
    ]
