"""When a message that was not taken is tried again, and when it is given up."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

_FIRST = 30.0
_LONGEST = 3600.0
_LEAST = 12
"""Attempts before anything is given up: a clock that jumps ahead gives nothing up."""
_MOST = 200
"""Attempts after which it is given up whatever the clock says: one that runs backwards."""


def pause_after(attempts: int, key: str, seed: int) -> float:
    """Return the seconds until the next attempt: 30, 60, ... up to an hour, less some jitter.

    Parameters
    ----------
    attempts : int
        Made so far, at least 1.
    key : str
        Of the message and its receiver, so that those of one alarm do not come all at once.
    seed : int
        The project's: the same history waits the same.

    Examples
    --------
    >>> [round(pause_after(n, "a", 0)) for n in (1, 2, 8, 80)]
    [21, 41, 2890, 3242]
    """
    longest = min(_FIRST * 2.0 ** min(attempts - 1, 10), _LONGEST)
    digest = hashlib.sha256(f"{seed}/{key}/{attempts}".encode()).digest()
    return longest * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)


def is_due(attempted: datetime | None, pause: float, now: datetime) -> bool:
    """Say whether the next attempt may be made."""
    return attempted is None or now >= attempted + timedelta(seconds=pause)


def is_over(attempts: int, since: datetime, now: datetime, patience: timedelta) -> bool:
    """Say whether a message has been tried for long enough to give it up."""
    return attempts >= _MOST or (attempts >= _LEAST and now >= since + patience)
