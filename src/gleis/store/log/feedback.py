"""What people said of answers, in the file of the prediction log."""

from __future__ import annotations

from pathlib import Path

from gleis.contracts.feedback import Feedback
from gleis.store.database import Database
from gleis.store.log.feedback_store import FeedbackStore, feedback_row, read_feedback
from gleis.store.log.sqlite_schema import SCHEMA

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


class SqliteFeedback(FeedbackStore):
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
        super().__init__(self._database.read)
        self._made = False

    def add(self, feedback: Feedback) -> Feedback:
        """Keep one; it is on disk, with the id that is returned, when this returns."""
        row = feedback_row(feedback)
        with self._database.transaction() as connection:
            connection.execute(_TABLE)
            connection.execute(_INDEX)
            number = connection.execute(_ADD, row).lastrowid or 0
        return read_feedback(number, *row)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _there(self) -> bool:
        """Say whether anybody ever gave any."""
        self._made = self._made or bool(self._database.read(_KNOWN))
        return self._made
