"""A SQLite file the way gleis uses it: write-ahead log, synced, many processes, clear errors."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gleis.contracts.errors import StoreError

_WAIT = 30.0
"""Seconds to wait for another process that writes."""

_REMEDIES = {
    "SQLITE_FULL": "Free disk space; nothing acknowledged is lost.",
    "SQLITE_READONLY": "Make the folder writable, or set another with GLEIS_STATE.",
    "SQLITE_CANTOPEN": "Make the folder exist and writable, or set another with GLEIS_STATE.",
    "SQLITE_CORRUPT": "The file is damaged: keep a copy of it, then restore a backup.",
    "SQLITE_NOTADB": "The file is not a database: move it away, or restore a backup.",
    "SQLITE_BUSY": "Another process holds it: wait, or end that process.",
    "SQLITE_IOERR": "The disk failed: check it and its mount.",
}


class Database:
    """One SQLite file, safe for many threads and processes.

    Every write is on disk (``synchronous=FULL``) when the call that made it returns. Readers have
    a connection of their own, so that they never wait for writers.

    Parameters
    ----------
    path : Path
        The file; it is made if its folder exists.
    schema : sequence of str
        Statements that make the tables, run once in one transaction.
    durable : bool
        False leaves syncing to the system: for what can be made again, such as a replay's log.

    Raises
    ------
    StoreError
        Here and in every method: read-only, full, damaged, locked for over 30 s, closed.
    """

    def __init__(self, path: Path, schema: Sequence[str], *, durable: bool = True) -> None:
        self.path = path
        self._schema = schema
        self._durable = durable
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._closed = False
        with self._explained():
            self._writer = self._open()
            try:
                self._prepare()
            except BaseException:
                self._writer.close()
                raise

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query over what is committed."""
        with self._reading, self._explained():
            if self._reader is None:
                self._reader = self._open()
                self._reader.execute("PRAGMA query_only = ON")
            return self._reader.execute(sql, parameters).fetchall()

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement as one transaction; return the row id it inserted.

        One call, not four: each statement gives the interpreter lock away and queues for it again,
        up to 5 ms a time beside a busy thread.
        """
        with self._writing, self._explained():
            return self._writer.execute(sql, parameters).lastrowid or 0

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write several statements: all of them, or after an exception none."""
        with self._writing, self._explained():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def rewrite(self) -> None:
        """Write the file anew without what was deleted or replaced, and empty the log beside it.

        Freed pages and gaps within pages keep old bytes until then.

        Raises
        ------
        StoreError
            Another process reads what the file was before, for over 30 s: do it again.
        """
        with self._writing, self._explained():
            self._writer.execute("VACUUM")
            (busy, *_) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(
                f"{self.path} is read by another process: its log still holds old bytes",
                remedy="End the process that reads, or wait, and do it again.",
            )

    def close(self) -> None:
        """Close the file; later calls raise StoreError."""
        with self._writing, self._reading, self._explained():
            self._closed = True
            if self._reader is not None:
                self._reader.close()
            self._writer.close()

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self.path} is closed")
        connection = sqlite3.connect(
            self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
        return connection

    def _prepare(self) -> None:
        self._enter_wal()
        if self._written():
            return
        self._writer.execute("BEGIN IMMEDIATE")
        if not self._written():
            for statement in self._schema:
                self._writer.execute(statement)
            self._writer.execute("PRAGMA user_version = 1")
        self._writer.execute("COMMIT")

    def _enter_wal(self) -> None:
        """Switch to write-ahead logging; SQLite does not wait for other switchers, so we do."""
        deadline = time.monotonic() + _WAIT
        while True:
            try:
                self._writer.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _written(self) -> bool:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > 1:
            raise StoreError(
                f"{self.path} was written by a newer gleis",
                seen=f"schema {version}",
                remedy="Upgrade gleis.",
            )
        return bool(version)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", None) or ""
            remedy = next((text for key, text in _REMEDIES.items() if name.startswith(key)), "")
            raise StoreError(f"{self.path} fails: {error}", remedy=remedy) from error
