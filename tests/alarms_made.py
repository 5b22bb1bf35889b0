"""Alarms as monitors raise them, for tests of what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gleis.contracts.alarm import Alarm, Expected, Moved
from gleis.contracts.notice import AlarmState, Notice

NIGHT = datetime(2013, 4, 1, 3, 12, tzinfo=UTC)


def an_alarm(number=1, **changes):
    """Return a drift alarm with everything known of it."""
    known = {
        "id": f"drift-v2-20130331T040000-{48_000 + number}",
        "kind": "drift",
        "at": NIGHT,
        "subject": "temp",
        "also": ("dewp",),
        "evidence": 4.31,
        "threshold": 1.3,
        "promise": "at most 1 false alarm per year",
        "effect": 1.31,
        "since": NIGHT - timedelta(days=2),
        "rows": 48_000 + number,
        "version": 2,
        "message": "`temp` rose from a median of 35.1 to 52 since 30 Mar; the model relies on it "
        "(21% of its importance); expected log loss +0.012 (+0.004 to +0.021); also changed: "
        "`dewp`; evidence 10^4.3, alarm at 10^1.3; at most 1 false alarm per year",
        "between": (NIGHT - timedelta(days=3), NIGHT - timedelta(days=1)),
        "moved": (
            Moved(
                column="temp",
                psi=1.31,
                js=0.4,
                importance=0.21,
                says="rose from a median of 35.1 to 52",
                since=NIGHT - timedelta(days=2),
            ),
            Moved(
                column="dewp",
                psi=0.72,
                js=0.3,
                importance=0.05,
                says="rose from a median of 20 to 33",
            ),
        ),
        "expected": Expected(
            figure="log_loss", before=0.484, change=0.0123, low=0.004, high=0.0206, rows=3100
        ),
    }
    return Alarm(**(known | changes))


def a_notice(event="alarm", status="open", alarm=None, **changes):
    """Return what is told of it."""
    alarm = alarm or an_alarm()
    state = AlarmState(status=status, at=NIGHT, by="version 4" if status == "resolved" else "")
    known = {
        "id": f"{alarm.id}/{event}",
        "event": event,
        "project": "punctuality",
        "at": NIGHT,
        "alarm": alarm,
        "state": state,
        "response": "it retrains, since 2013-04-01 03:12 UTC",
        "link": "https://gleis.example.org",
    }
    return Notice(**(known | changes))
