"""Which answers wait for a person: derived from the prediction log, no second write to answer.

The queue remembers how far it read. It may be deleted: the next reader fills it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from gleis.contracts.review import Queued
from gleis.store.database import Database
from gleis.store.log.ids import parse_id
from gleis.store.moments import to_micros
from gleis.store.review_reading import ReviewReading

__all__ = ["Queued", "ReviewQueue"]

_SCHEMA = (
    """CREATE TABLE waiting(
        seq INTEGER NOT NULL,
        position INTEGER NOT NULL,
        prediction_id TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        outlier REAL,
        PRIMARY KEY (seq, position)) WITHOUT ROWID""",
    "CREATE TABLE seen(seq INTEGER NOT NULL)",
    "INSERT INTO seen VALUES (0)",
)


class ReviewQueue(ReviewReading):
    """Waiting answers in a SQLite file, the oldest first.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
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
    >>> queue = ReviewQueue(Path(tempfile.mkdtemp()) / "reviews.db")
    >>> at = datetime(2013, 7, 4, 12, tzinfo=UTC)
    >>> queue.take([Queued(prediction_id="7-0-5ca1ab1e", at=at, outlier=21.5)], seen=9)
    >>> queue.seen(), queue.count(), queue.first(1)[0].outlier
    (9, 1, 21.5)
    >>> queue.remove(["7-0-5ca1ab1e"])
    >>> queue.first(1)
    []
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._database = Database(path, _SCHEMA, durable=durable)
        super().__init__(self._database.read, "waiting", "seen")

    def take(self, found: Sequence[Queued], seen: int) -> None:
        """Add answers and note how far the log was looked through, in one commit.

        Parameters
        ----------
        found : sequence of Queued
            Known ones are left as they are.
        seen : int
            An entry of the log; an earlier one than is noted changes nothing.
        """
        rows = [queued_row(one) for one in found]
        with self._database.transaction() as connection:
            (before,) = connection.execute("SELECT seq FROM seen").fetchone()
            if seen <= before:  # another reader was quicker; what is done must not come back
                return
            connection.executemany("INSERT OR IGNORE INTO waiting VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("UPDATE seen SET seq = ?", (seen,))

    def remove(self, prediction_ids: Sequence[str]) -> None:
        """Take answers out; unknown ones are ignored."""
        if not prediction_ids:
            return
        names = msgspec.json.encode(list(prediction_ids)).decode()
        self._database.write(
            "DELETE FROM waiting WHERE prediction_id IN (SELECT value FROM json_each(?))", (names,)
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def queued_row(one: Queued) -> tuple[int, int, str, int, float | None]:
    """Return an answer as a row: entry and place in the log, id, moment, outlier score."""
    seq, position, _ = parse_id(one.prediction_id) or (0, 0, "")
    return seq, position, one.prediction_id, to_micros(one.at), one.outlier
