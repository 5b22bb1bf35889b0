"""Feedback, wherever it is kept: what is read of it, and what a backend has to write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import Any

from gleis.contracts.feedback import Feedback, RatingSummary
from gleis.store.log.answered import Rows
from gleis.store.moments import from_micros, to_micros

_LIST = """SELECT id, at, prediction_id, version, rating, text, given_by, caller FROM feedback
    WHERE id < ? AND (CAST(? AS BIGINT) IS NULL OR version = ?)
        AND (CAST(? AS BIGINT) IS NULL OR rating = ?)
    ORDER BY id DESC LIMIT ?"""
_COUNT = "SELECT version, rating, count(*) FROM feedback GROUP BY version, rating ORDER BY 1, 2"
_NEWEST = 2**62


class FeedbackStore(ABC):
    """Ratings and texts beside the predictions they are about.

    Parameters
    ----------
    rows : callable
        Asks the database.
    placeholder : str
        For a parameter.

    Raises
    ------
    StoreError
        In every method: the database fails.
    """

    def __init__(self, rows: Rows, placeholder: str = "?") -> None:
        self._rows = rows
        self._list = _LIST.replace("?", placeholder)

    @abstractmethod
    def add(self, feedback: Feedback) -> Feedback:
        """Keep one; it is on disk, with the id that is returned, when this returns."""

    @abstractmethod
    def close(self) -> None:
        """Close the database."""

    def newest(
        self,
        limit: int = 50,
        *,
        before: int | None = None,
        version: int | None = None,
        rating: int | None = None,
    ) -> list[Feedback]:
        """Return the newest first.

        Parameters
        ----------
        limit : int
            At most so many.
        before : int, optional
            Only those with a smaller id: pass the last one seen for the next page.
        version, rating : int, optional
            Only of this version, only with this rating.
        """
        if not self._there():
            return []
        last = _NEWEST if before is None else before
        asked = (last, version, version, rating, rating, limit)
        return [read_feedback(*row) for row in self._rows(self._list, asked)]

    def summary(self) -> list[RatingSummary]:
        """Return the ratings of each version that has any, in the order of versions."""
        if not self._there():
            return []
        found: dict[int, dict[int, int]] = defaultdict(dict)
        for version, rating, count in self._rows(_COUNT, ()):
            found[version][rating] = count
        return [_summary(version, counts) for version, counts in found.items()]

    def _there(self) -> bool:
        """Say whether anybody ever gave any."""
        return True


def feedback_row(feedback: Feedback) -> tuple[Any, ...]:
    """Return what is written of feedback: all but its id."""
    return (
        to_micros(feedback.at),
        feedback.prediction_id,
        feedback.version,
        feedback.rating,
        feedback.text,
        feedback.by,
        feedback.caller,
    )


def read_feedback(
    number: int,
    at: int,
    prediction_id: str,
    version: int,
    rating: int,
    text: str,
    by: str | None,
    caller: str | None,
) -> Feedback:
    """Return the feedback of a row."""
    return Feedback(
        id=number,
        at=from_micros(at),
        prediction_id=prediction_id,
        version=version,
        rating=rating,
        text=text,
        by=by,
        caller=caller,
    )


def _summary(version: int, counts: dict[int, int]) -> RatingSummary:
    count = sum(counts.values())
    return RatingSummary(
        version=version,
        count=count,
        mean=sum(rating * times for rating, times in counts.items()) / count,
        by_rating={str(rating): times for rating, times in counts.items()},
    )
