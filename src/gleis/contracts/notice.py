"""What was done about an alarm, and who was told of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

import msgspec

from gleis.contracts.alarm import Alarm

AlarmStatus = Literal["open", "acknowledged", "snoozed", "resolved", "recorded"]
"""``recorded``: surely harmless, so nobody was told and nothing is to be done."""
Event = Literal["alarm", "reminder", "resolved", "test"]
"""What a message is about. ``reminder``: a snooze has ended and the alarm is open again."""
ReceiverKind = Literal["webhook", "slack", "email"]
DeliveryOutcome = Literal["delivered", "refused", "given up", "withdrawn"]
"""``refused``: the receiver will not take it, however often it is asked. ``given up``: it never
answered. ``withdrawn``: the receiver is not in ``gleis.toml`` any more."""


class Handled(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, or gleis itself, did something about an alarm. Appended, never changed."""

    alarm: str
    status: Literal["acknowledged", "snoozed", "resolved"]
    at: datetime
    by: str
    """``user@host``, ``version 4``, ``the later check``."""
    note: str = ""
    until: datetime | None = None
    """End of a snooze: the alarm is open again from then on."""


class AlarmState(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand with an alarm at a moment."""

    status: AlarmStatus
    at: datetime
    """Since when."""
    by: str = ""
    note: str = ""
    until: datetime | None = None

    @property
    def holds_back(self) -> bool:
        """Whether the alarm starts no retraining: snoozed, resolved, or only recorded."""
        return self.status in {"snoozed", "resolved", "recorded"}

    @property
    def words(self) -> str:
        """``snoozed by jo@host until 2013-07-04 12:00 UTC: deploying anyway``."""
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        if self.status == "open":
            said = f"open again: the snooze by {self.by} ended" if self.by else "open"
        else:
            said = f"{self.status} by {self.by}{until}" if self.by else self.status
        return f"{said}: {self.note}" if self.note else said


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message about one alarm, for every receiver alike."""

    id: str
    """The same thing told again has the same id."""
    event: Event
    project: str
    at: datetime
    """When it happened."""
    alarm: Alarm
    state: AlarmState
    response: str = ""
    """What gleis does about it by itself, in a sentence."""
    link: str | None = None
    """Address of the project's pages."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that one receiver has still to be told of."""

    notice: str
    alarm: str
    event: Event
    receiver: str
    since: datetime
    """When it began to wait."""
    attempts: int = 0
    attempted: datetime | None = None
    """When the last attempt began."""
    pause: float = 0.0
    """Seconds from then until the next."""
    said: str = ""
    """What came of the last attempt."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one notice for one receiver, for good."""

    notice: str
    alarm: str
    event: Event
    receiver: str
    """Its name, which never holds a secret: ``webhook ops.example.org 3f9a1c``."""
    kind: ReceiverKind
    outcome: DeliveryOutcome
    at: datetime
    attempts: int
    said: str = ""
    """What the receiver answered, or why there was no answer."""


def alarm_state(
    alarm: Alarm, handled: Sequence[Handled], now: datetime, *, told: bool = True
) -> AlarmState:
    """Say how things stand with an alarm; a pure function.

    Parameters
    ----------
    alarm : Alarm
    handled : sequence of Handled
        What was done about this alarm, oldest first: ``Journal.handled().get(alarm.id, ())``.
    now : datetime
        A snooze ends by itself; then the alarm is open again.
    told : bool
        False if alarms like it are only recorded, see ``is_told``.

    Returns
    -------
    AlarmState
        Triggers ask it for ``holds_back``, and for ``words`` to say why.
    """
    if not handled:
        return AlarmState(status="open" if told else "recorded", at=alarm.at)
    last = handled[-1]
    if last.status == "snoozed" and last.until is not None and now >= last.until:
        return AlarmState(status="open", at=last.until, by=last.by)
    return AlarmState(status=last.status, at=last.at, by=last.by, note=last.note, until=last.until)


def kind_of(name: str) -> ReceiverKind:
    """Return the kind of a receiver that is only known by its name.

    Examples
    --------
    >>> kind_of("email ops@example.org")
    'email'
    """
    found: dict[str, ReceiverKind] = {kind: kind for kind in get_args(ReceiverKind)}
    return found[name.partition(" ")[0]]


def short_id(alarm: str) -> str:
    """Return six letters that stand for an alarm's id, to be typed.

    Examples
    --------
    >>> short_id("drift-v2-20130401T040000-48123")
    'd6948e'
    """
    return hashlib.sha256(alarm.encode()).hexdigest()[:6]
