"""When an answer is mature: its label has come by now, or will not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

DAY = 86_400.0
"""Seconds."""
HOUR = 3_600.0
_HOURLY = 60 * DAY
"""Up to this length of window and maturity, answers are counted by the hour, beyond it by day."""
_STRANGE = 366 * DAY
"""An event time further from its answer is taken for a mistake; the answer's own counts then."""
_SPARE = 3 * DAY

Stamps = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Maturity(msgspec.Struct, frozen=True, kw_only=True):
    """Counts time in stretches of an hour, or of a day where maturity takes months.

    An answer is of the stretch of its event time, or of its own where it has none. A stretch is
    mature when ``matures`` has passed since its end: labels that come earlier for some answers
    than for others then no longer matter.

    Parameters
    ----------
    matures : float
        Seconds, >= 0.
    window : float
        Seconds behind live figures, > 0.

    Examples
    --------
    >>> six_hours = Maturity(matures=6 * HOUR, window=7 * DAY)
    >>> noon = datetime(2013, 4, 1, 12, tzinfo=UTC)
    >>> number = int(six_hours.number(stamps_of([None], noon))[0])
    >>> [number <= six_hours.last_mature(noon + timedelta(hours=h)) for h in (6, 7)]
    [False, True]
    """

    matures: float
    window: float

    @property
    def width(self) -> float:
        """Seconds of a stretch."""
        return HOUR if self.matures + self.window <= _HOURLY else DAY

    @property
    def kept(self) -> int:
        """Stretches that need be remembered."""
        return math.ceil((self.matures + self.window + _SPARE) / self.width)

    def number(self, stamps: Stamps) -> Numbers:
        """Return the stretch of each moment, counted since 1970."""
        return np.floor(stamps / self.width).astype(np.int64)

    def last_mature(self, now: datetime) -> int:
        """Return the newest mature stretch."""
        return math.floor((now.timestamp() - self.matures) / self.width) - 1

    def in_window(self, now: datetime) -> tuple[int, int]:
        """Return the first and the last stretch behind live figures."""
        last = self.last_mature(now)
        return last - max(1, round(self.window / self.width)) + 1, last

    def day_of(self, number: int) -> int:
        """Return the day of a stretch, counted since 1970 (UTC)."""
        return math.floor(number * self.width / DAY)

    def last_mature_day(self, now: datetime) -> int:
        """Return the newest day of which every answer is mature."""
        return math.floor((now.timestamp() - self.matures) / DAY) - 1


def stamps_of(times: Sequence[datetime | None], at: datetime) -> Stamps:
    """Return event times as seconds since 1970, (n_rows,).

    The answer's own moment stands where there is none, and where it is over a year away.
    """
    moment = at.timestamp()
    return np.array([sane_stamp(time, moment) for time in times], dtype=np.float64)


def sane_stamp(time: datetime | None, moment: float) -> float:
    """Return one event time as `stamps_of` does, given the answer's moment."""
    if time is None:
        return moment
    stamp = time.timestamp()
    return stamp if abs(stamp - moment) <= _STRANGE else moment


def day_text(day: int, last: int | None = None) -> str:
    """Write a day, or a stretch of days, counted since 1970.

    Examples
    --------
    >>> day_text(15776), day_text(15776, 15779)
    ('12 March 2013', '12 March to 15 March 2013')
    """
    end = _date(day if last is None else last)
    text = f"{end.day} {end:%B %Y}"
    if last is None or last == day:
        return text
    return f"{_date(day).day} {_date(day):%B} to {text}"


def iso_day(day: int) -> str:
    """Write a day as ISO 8601: ``2013-03-12``."""
    return f"{_date(day):%Y-%m-%d}"


def _date(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
