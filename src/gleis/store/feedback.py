"""What people said of answers, in the file of the prediction log."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from gleis.contracts.feedback import Feedback, RatingSummary
from gleis.store.database import Database
from gleis.store.moments import from_micros, to_micros
from gleis.store.prediction_schema import SCHEMA

# Logs of earlier versions do not have it.
_TABLE = """CREATE TABLE IF NOT EXISTS feedback(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    prediction_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    rating INTEGER NOT NULL,
    text TEXT NOT NULL,
    given_by TEXT,
    caller TEXT)"""
_INDEX = "CREATE INDEX IF NOT EXISTS feedback_ratings ON feedback(version, rating)"
_KNOWN = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'feedback'"
_ADD = """INSERT INTO feedback(at, prediction_id, version, rating, text, given_by, caller)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_LIST = """SELECT id, at, prediction_id, version, rating, text, given_by, caller FROM feedback
    WHERE id < ?1 AND (?2 IS NULL OR version = ?2) AND (?3 IS NULL OR rating = ?3)
    ORDER BY id DESC LIMIT ?4"""
_COUNT = "SELECT version, rating, count(*) FROM feedback GROUP BY version, rating ORDER BY 1, 2"
_NEWEST = 2**62


class SqliteFeedback:
    """Ratings and texts beside the predictions they are about.

    Parameters
    ----------
    path : Path
        The prediction log's file; its folder must exist.
    durable : bool
        False leaves syncing to the system, see `Database`.

    Raises
    ------
    StoreError
        Here and in every method: the file is read-only, full, damaged or locked.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> store = SqliteFeedback(Path(tempfile.mkdtemp()) / "predictions.db")
    >>> said = Feedback(id=0, at=datetime(2013, 7, 4, tzinfo=UTC), prediction_id="1-0-5ca1ab1e",
    ...                 version=2, rating=4, text="close enough")
    >>> store.add(said).id
    1
    >>> [summary.mean for summary in store.summary()]
    [4.0]
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._database = Database(path, SCHEMA, durable=durable)
        self._made = False

    def add(self, feedback: Feedback) -> Feedback:
        """Keep one; it is on disk, with the id that is returned, when this returns."""
        row = (
            to_micros(feedback.at),
            feedback.prediction_id,
            feedback.version,
            feedback.rating,
            feedback.text,
            feedback.by,
            feedback.caller,
        )
        with self._database.transaction() as connection:
            connection.execute(_TABLE)
            connection.execute(_INDEX)
            number = connection.execute(_ADD, row).lastrowid or 0
        return _feedback(number, *row)

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
        asked = (_NEWEST if before is None else before, version, rating, limit)
        return [_feedback(*row) for row in self._database.read(_LIST, asked)]

    def summary(self) -> list[RatingSummary]:
        """Return the ratings of each version that has any, in the order of versions."""
        if not self._there():
            return []
        found: dict[int, dict[int, int]] = defaultdict(dict)
        for version, rating, count in self._database.read(_COUNT):
            found[version][rating] = count
        return [_summary(version, counts) for version, counts in found.items()]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _there(self) -> bool:
        """Say whether anybody ever gave any."""
        self._made = self._made or bool(self._database.read(_KNOWN))
        return self._made


def _feedback(
    number: int,
    at: int,
    prediction_id: str,
    version: int,
    rating: int,
    text: str,
    by: str | None,
    caller: str | None,
) -> Feedback:
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
