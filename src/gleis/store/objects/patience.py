"""Ask again, more and more slowly, what may answer in a while."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gleis.contracts.errors import StoreError

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)
_TOLD = 1.0
"""Seconds; waits shorter than this are nobody's concern."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to ask a store that does not answer.

    Examples
    --------
    >>> [round(Patience(longest=1.0).wait(attempt, 1.0), 1) for attempt in range(5)]
    [0.2, 0.4, 0.8, 1.0, 1.0]
    """

    seconds: float = 120.0
    """From the first attempt, until it is given up."""
    first: float = 0.2
    """Seconds to wait after the first attempt, at most; then twice as long each time."""
    longest: float = 10.0
    """Seconds to wait between two attempts, at most."""

    def wait(self, attempt: int, share: float) -> float:
        """Return how long to wait after an attempt (0 is the first); ``share`` is of the most."""
        return min(self.longest, self.first * 2.0 ** min(attempt, 30)) * share


class Passing(Exception):  # noqa: N818 - a signal within the room, not an error to show
    """An attempt failed in a way that may pass.

    Parameters
    ----------
    what, seen, remedy
        Of the StoreError to raise once patience is at its end.
    """

    def __init__(self, what: str, *, seen: object, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.seen = seen
        self.remedy = remedy

    def give_up(self, attempts: int, seconds: float) -> StoreError:
        """Return what is raised after so many attempts."""
        asked = f"{self.what} (asked {attempts} times in {seconds:.0f} s)"
        return StoreError(asked, seen=self.seen, remedy=self.remedy)


def patiently(ask: Callable[[], Answer], patience: Patience) -> Answer:
    """Return what ``ask`` returns; while it raises `Passing`, wait and ask again.

    Who waits longer than a second is told in the log, as a warning.

    Raises
    ------
    StoreError
        The last attempt's, with how long it was tried.
    """
    started = time.monotonic()
    attempt = 0
    while True:
        try:
            return ask()
        except Passing as passing:
            # Half of the wait is left to chance, so that many clients do not come back together.
            wait = patience.wait(attempt, random.uniform(0.5, 1.0))  # noqa: S311
            attempt += 1
            spent = time.monotonic() - started
            if spent + wait > patience.seconds:
                raise passing.give_up(attempt, spent) from passing.__cause__
            if wait >= _TOLD:
                left = patience.seconds - spent
                _log.warning(
                    "%s: %s. Asking again in %.0f s, for %.0f s more.",
                    passing.what,
                    passing.seen,
                    wait,
                    left,
                )
            time.sleep(wait)
