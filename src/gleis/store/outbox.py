"""Notices on their way: who has still to be told of what, and what came of it so far."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from gleis.contracts.errors import StoreError
from gleis.contracts.notice import Waiting
from gleis.store.database import Database
from gleis.store.moments import from_micros, to_micros

_SCHEMA = (
    "CREATE TABLE receivers(name TEXT PRIMARY KEY, first INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE waiting(
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        notice TEXT NOT NULL,
        receiver TEXT NOT NULL,
        alarm TEXT NOT NULL,
        event TEXT NOT NULL,
        since INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        attempted INTEGER,
        pause REAL NOT NULL DEFAULT 0,
        said TEXT NOT NULL DEFAULT '',
        UNIQUE(notice, receiver))""",
)


class SqliteOutbox:
    """The outbox in a SQLite file. It holds names only, no message and no secret.

    What has been told for good is a fact of the ledger and leaves the outbox; lost, it can be made
    again from there.

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
    >>> from datetime import UTC
    >>> outbox = SqliteOutbox(Path(tempfile.mkdtemp()) / "outbox.db")
    >>> noon = datetime(2013, 7, 4, 12, tzinfo=UTC)
    >>> one = Waiting(notice="a/alarm", alarm="a", event="alarm", receiver="x@y.z", since=noon)
    >>> outbox.put([one, one])
    >>> outbox.attempt(one, noon, 30.0), outbox.attempt(one, noon, 30.0)
    (True, False)
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._database = Database(path, _SCHEMA, durable=durable)

    def first_of(self, receiver: str) -> int | None:
        """Return the number of the first alarm a receiver is told of; None if it is new."""
        rows = self._database.read("SELECT first FROM receivers WHERE name = ?", (receiver,))
        return rows[0][0] if rows else None

    def meet(self, receiver: str, first: int) -> None:
        """Remember the number of the first alarm a new receiver is told of."""
        self._database.write("INSERT OR IGNORE INTO receivers VALUES (?, ?)", (receiver, first))

    def put(self, notices: Iterable[Waiting]) -> None:
        """Let notices wait: all of them or none; one that waits already goes on as it was."""
        rows = [(n.notice, n.receiver, n.alarm, n.event, to_micros(n.since)) for n in notices]
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO waiting(notice, receiver, alarm, event, since) "
                "VALUES (?, ?, ?, ?, ?)",
                rows,
            )

    def waiting(self) -> list[Waiting]:
        """Return what waits, in the order in which it came."""
        rows = self._database.read(
            "SELECT notice, receiver, alarm, event, since, attempts, attempted, pause, said "
            "FROM waiting ORDER BY place"
        )
        return [read_waiting(row) for row in rows]

    def attempt(self, notice: Waiting, at: datetime, pause: float) -> bool:
        """Count an attempt before it is made: whatever happens now, the next one waits.

        Returns
        -------
        bool
            False if it waits no longer, or somebody tried it since ``notice`` was read.
        """
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE waiting SET attempts = attempts + 1, attempted = ?, pause = ?, said = '' "
                "WHERE notice = ? AND receiver = ? AND attempts = ?",
                (to_micros(at), pause, notice.notice, notice.receiver, notice.attempts),
            ).rowcount
        return changed > 0

    def failed(self, notice: Waiting, said: str, pause: float) -> None:
        """Note what came of an attempt, and how long the next one waits."""
        self._database.write(
            "UPDATE waiting SET said = ?, pause = ? WHERE notice = ? AND receiver = ?",
            (said, pause, notice.notice, notice.receiver),
        )

    def begin_pause(self, notice: Waiting, at: datetime) -> None:
        """Count the pause from another moment: the clock was turned back."""
        self._database.write(
            "UPDATE waiting SET attempted = ? WHERE notice = ? AND receiver = ?",
            (to_micros(at), notice.notice, notice.receiver),
        )

    def remove(self, notice: str, receiver: str) -> None:
        """Take a notice out: what became of it is in the ledger."""
        self._database.write(
            "DELETE FROM waiting WHERE notice = ? AND receiver = ?",
            (notice, receiver),
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def read_waiting(row: tuple[Any, ...]) -> Waiting:
    """Return a notice from its row: notice, receiver, alarm, event, since, attempts and so on."""
    notice, receiver, alarm, event, since, attempts, attempted, pause, said = row
    return Waiting(
        notice=notice,
        receiver=receiver,
        alarm=alarm,
        event=event,
        since=from_micros(since),
        attempts=attempts,
        attempted=None if attempted is None else from_micros(attempted),
        pause=pause,
        said=said,
    )


def is_damaged(error: StoreError) -> bool:
    """Say whether a file is damaged, not only full, locked or out of reach for now."""
    name = getattr(error.__cause__, "sqlite_errorname", None) or ""
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
