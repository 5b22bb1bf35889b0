"""Quiet hours: stretches of the week in which no trigger starts a retraining."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from gleis.config.durations import WEEKDAYS
from gleis.contracts.errors import ConfigError

_DAY = 24 * 60
_WEEK = 7 * _DAY
_ENTRY = re.compile(
    r"\s*(?:(?P<first>[a-z]{3})(?:\s*-\s*(?P<last>[a-z]{3}))?)?"
    r"\s*(?:(?P<begin>\d{1,2}:\d{2})\s*-\s*(?P<end>\d{1,2}:\d{2}))?\s*"
)


class QuietHours:
    """Minutes of the week (UTC) that are quiet.

    Parameters
    ----------
    entries : sequence of str
        ``"22:00-06:00"`` is every day, over midnight; ``"sat-sun"`` whole days; ``"fri
        18:00-24:00"`` and ``"mon-fri 12:00-13:00"`` hours of some days. A stretch over midnight
        belongs to the day on which it begins.

    Raises
    ------
    ConfigError
        If an entry is none of these, or no minute of the week is left; the entry is named.

    Examples
    --------
    >>> from datetime import UTC
    >>> quiet = QuietHours(["22:00-06:00", "sat-sun"])
    >>> quiet.until(datetime(2013, 4, 5, 23, 30, tzinfo=UTC))  # a Friday
    datetime.datetime(2013, 4, 8, 6, 0, tzinfo=datetime.timezone.utc)
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._quiet = bytearray(_WEEK)
        for entry in entries:
            for start, minutes in _stretches(entry):
                for minute in range(start, start + minutes):
                    self._quiet[minute % _WEEK] = 1
        if all(self._quiet):
            raise ConfigError(
                "triggers.quiet leaves no minute in which a trigger could retrain",
                seen=", ".join(entries),
                remedy="Leave hours open; dry_run = true records and never retrains.",
                field="triggers.quiet",
            )

    def until(self, moment: datetime) -> datetime:
        """Return the end of the quiet hours that ``moment`` is in; itself if it is in none.

        Parameters
        ----------
        moment : datetime
            In UTC. The first minute of a stretch is quiet, the minute of its end is not.
        """
        minute = moment.weekday() * _DAY + moment.hour * 60 + moment.minute
        if not self._quiet[minute]:
            return moment
        length = next(n for n in range(1, _WEEK) if not self._quiet[(minute + n) % _WEEK])
        return moment.replace(second=0, microsecond=0) + timedelta(minutes=length)


def _stretches(entry: str) -> list[tuple[int, int]]:
    """Read an entry: minutes of the week at which stretches begin, and their lengths."""
    match = _ENTRY.fullmatch(entry.lower())
    if match is None or not entry.strip():
        raise _wrong(entry, "is no stretch of time")
    days = _days(entry, match["first"], match["last"])
    if match["begin"] is None:
        return [(day * _DAY, _DAY) for day in days]
    begin, end = (_minutes(entry, match[name]) for name in ("begin", "end"))
    if begin == _DAY:
        raise _wrong(entry, "begins at the end of a day")
    if begin == end:
        raise _wrong(entry, "has no length")
    return [(day * _DAY + begin, (end - begin) % _DAY or _DAY) for day in days]


def _days(entry: str, first: str | None, last: str | None) -> list[int]:
    if first is None:
        return list(range(7))
    for name in (first, last or first):
        if name not in WEEKDAYS:
            raise _wrong(entry, f"names no day of the week: {name}")
    begin = WEEKDAYS.index(first)
    count = (WEEKDAYS.index(last or first) - begin) % 7 + 1
    return [(begin + n) % 7 for n in range(count)]


def _minutes(entry: str, clock: str) -> int:
    hours, minutes = (int(part) for part in clock.split(":"))
    if minutes > 59 or hours * 60 + minutes > _DAY:
        raise _wrong(entry, f"names no time of the day: {clock}")
    return hours * 60 + minutes


def _wrong(entry: str, what: str) -> ConfigError:
    return ConfigError(
        f"an entry of triggers.quiet {what}",
        seen=entry,
        remedy='Write hours in UTC, days, or both: "22:00-06:00", "sat-sun", "fri 18:00-24:00".',
        field="triggers.quiet",
    )
