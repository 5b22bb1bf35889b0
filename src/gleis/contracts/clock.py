"""The time, as a port: everything that needs it takes a ``Clock``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class SimulatedClock:
    """A clock that stands still until it is moved, for replays and tests.

    Parameters
    ----------
    start : datetime
        Timezone-aware.

    Examples
    --------
    >>> clock = SimulatedClock(datetime(2013, 4, 1, tzinfo=UTC))
    >>> clock.move_to(datetime(2013, 4, 2, tzinfo=UTC))
    >>> clock.now().day
    2
    """

    def __init__(self, start: datetime) -> None:
        self._now = utc(start)

    def now(self) -> datetime:
        """Return the simulated moment."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Move forward.

        Raises
        ------
        ValueError
            If ``moment`` lies before the present one: time does not run backwards.
        """
        moment = utc(moment)
        if moment < self._now:
            raise ValueError(f"time does not run backwards: {self._now} -> {moment}")
        self._now = moment


def utc(moment: datetime) -> datetime:
    """Return ``moment`` in UTC; a naive one is taken to be UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
