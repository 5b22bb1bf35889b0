"""Keeps the review queue up to date while the loop runs, and counts what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gleis.contracts.alarm import Alarm
from gleis.contracts.live_figures import LiveFigure
from gleis.lifecycle.observers.observer import Watched
from gleis.lifecycle.review_queue import take_new
from gleis.store.home import Home
from gleis.store.log.logged import Logged, Matched


class Reviews:
    """Puts flagged answers into the queue, takes labelled ones out.

    The queue is its state, and is shared with ``gleis review``.

    Parameters
    ----------
    home : Home
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """Take what is new; see ``Observer``."""
        take_new(self._home, batches)
        if matched and self._home.reviews.count():
            self._home.reviews.remove([match.prediction_id for match in matched])

    def alarms(self, now: datetime) -> Sequence[Alarm]:
        """Return none: nothing is tested here."""
        return ()

    def summary(self) -> dict[str, Any]:
        """Return how many answers wait."""
        return {"waiting": self._home.reviews.count()}

    def figures(self) -> Sequence[LiveFigure]:
        """Return the same for ``/metrics``."""
        waiting = float(self._home.reviews.count())
        text = "Answers that wait for a person: gleis review"
        return (LiveFigure(name="gleis_reviews_waiting", value=waiting, help=text),)

    def to_bytes(self) -> bytes:
        """Return nothing: the queue is kept apart."""
        return b""


def make_reviews(watched: Watched) -> Reviews | None:
    """Make the observer where ``serve.outliers`` asks for reviews."""
    if watched.bench.settings.serve.outliers != "review":
        return None
    return Reviews(watched.bench.home)
