"""A reader of a stream at work: turn after turn, with a report now and then."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

WAIT = 0.2
"""Seconds after which an idle reader looks whether it is to stop."""
TELL = 1.0
"""Seconds between two reports."""


def attend(turn: Callable[[], None], over: Callable[[], bool], tell: Callable[[], object]) -> None:
    """Take turns until it is over, and tell how things stand every second.

    Parameters
    ----------
    turn : callable
        Takes what waits; returns within a second or so if nothing does.
    over : callable
        Says whether to stop.
    tell : callable

    Examples
    --------
    >>> done = []
    >>> attend(lambda: done.append(1), lambda: len(done) == 3, lambda: None)
    >>> done
    [1, 1, 1]
    """
    told = monotonic()
    while not over():
        turn()
        if monotonic() - told >= TELL:
            tell()
            told = monotonic()
