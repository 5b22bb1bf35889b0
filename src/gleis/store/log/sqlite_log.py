"""The prediction log in SQLite: what was answered, durable before the answer leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from gleis.contracts.prediction import Batch, Label, LabelReceipt
from gleis.store.database import Database
from gleis.store.log import consumed, entity_index
from gleis.store.log import sqlite_schema as sql
from gleis.store.log.entries import entry_row, ids_of, label_row, receipt_of
from gleis.store.log.erasing import Erased, Erasing
from gleis.store.log.ids import format_id, random_tokens
from gleis.store.log.log_store import LogStore
from gleis.store.log.logged import LogCounts, Logged, LoggedRow, Matched
from gleis.store.moments import to_micros

__all__ = ["LogCounts", "Logged", "LoggedRow", "Matched", "SqlitePredictionLog"]

T = TypeVar("T")
_EVERYTHING = 2**62


class SqlitePredictionLog(LogStore):
    """Predictions and labels in one SQLite file.

    One commit writes all batches handed over as one row with one blob, in one statement: measured
    twice as fast as a row a batch, and kinder to the thread that answers requests.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    durable : bool
        False leaves syncing to the system, see `Database`.
    token : callable, optional
        Makes the 8 hex characters that tell this log's entries from another's.

    Raises
    ------
    StoreError
        Here and in every method: the file is read-only, full, damaged or locked. What was
        acknowledged before stays.
    """

    def __init__(
        self, path: Path, *, token: Callable[[], str] | None = None, durable: bool = True
    ) -> None:
        self._database = Database(path, sql.SCHEMA, durable=durable)
        super().__init__(self._database.read, sql.QUERIES, str(path))
        if self._database.read(entity_index.EAGER):
            with self._database.transaction() as connection:
                entity_index.make_lazy(connection)
        self._token = token or random_tokens()

    def append(self, batches: Sequence[Batch]) -> list[list[str]]:
        """Write batches as one row, in one statement; see `LogStore`."""
        if not batches:
            return []
        token = self._token()
        seq = self._database.write(sql.APPEND, entry_row(batches, token))
        return ids_of(batches, seq, token)

    def append_from(
        self, spans: Sequence[consumed.Span], batches: Sequence[Batch]
    ) -> list[list[str]] | None:
        """Write batches and positions in one transaction; see `LogStore`."""
        consumed.check_answers(spans, batches)
        token = self._token()
        entry = entry_row(batches, token) if batches else None
        with self._database.transaction() as connection:
            if not consumed.fits(connection, spans):
                return None
            seq = connection.execute(sql.APPEND, entry).lastrowid or 0 if entry else None
            consumed.note(connection, spans, seq)
        return ids_of(batches, seq or 0, token)

    def label(self, labels: Sequence[Label], received: datetime) -> LabelReceipt:
        """Write labels in one transaction; see `LogStore`."""
        rows = [label_row(label) for label in labels]
        if not rows:
            return LabelReceipt(accepted=0, unknown=(), changed=())
        by_entity = any(label.prediction_id is None for label in labels)
        while by_entity and self.catch_up():
            pass
        given = {
            "labels": msgspec.json.encode(rows).decode(),
            "received": to_micros(received),
        }
        with self._database.transaction() as connection:
            after, matched = connection.execute(
                "SELECT coalesce((SELECT max(seq) FROM labels), 0),"
                " coalesce((SELECT max(seq) FROM matches), 0)"
            ).fetchone()
            if by_entity:  # what was written since
                entity_index.catch_up(connection, _EVERYTHING)
            connection.execute(sql.ADD_LABELS, given)
            connection.execute(sql.JOIN_LABELS, {"after": after})
            waiting = connection.execute(
                sql.KEEP_WAITING, {"after": after, "matched": matched}
            ).fetchall()
            changed = connection.execute(sql.CHANGED, (matched,)).fetchall()
        return receipt_of(
            labels,
            [seq - after - 1 for (seq,) in sorted(waiting)],
            [format_id(*row) for row in changed],
        )

    def catch_up(self, rows: int = 20_000) -> bool:
        """Look through so many rows for entities; see `LogStore`."""
        if not self._database.read(entity_index.BEHIND)[0][0]:
            return False
        with self._database.transaction() as connection:
            return entity_index.catch_up(connection, rows)

    def erase(self, entities: Collection[str], prediction_ids: Collection[str] = ()) -> Erased:
        """Empty rows, then write the file anew, so that no byte of them is left in it.

        Others wait to write meanwhile, about 20 s a GB, and as much disk again is taken. See
        `LogStore`.
        """
        while self.catch_up():
            pass
        erased = Erasing(self._atomically, sql.ERASING, self._where).erase(entities, prediction_ids)
        self._database.rewrite()
        return erased

    def size(self) -> int:
        """Return its bytes on disk, the write-ahead log included."""
        path = self._database.path
        files = (path, path.with_name(f"{path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _atomically(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._database.transaction() as connection:
            return work(connection)
