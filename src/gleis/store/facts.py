"""The append-only ledger, chained by hashes: the audit trail."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from gleis.store.chain import START, chain_hash, chain_is_broken
from gleis.store.database import Database
from gleis.store.fact_reading import FactReading
from gleis.store.moments import to_micros

_REFUSED = "SELECT RAISE(ABORT, 'facts are added, never changed')"
_SCHEMA = (
    """CREATE TABLE facts(
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        at INTEGER NOT NULL,
        body BLOB NOT NULL,
        hash TEXT NOT NULL)""",
    "CREATE INDEX facts_by_kind ON facts(kind, seq)",
    "CREATE INDEX facts_by_key ON facts(kind, key, seq)",
    f"CREATE TRIGGER never_changed BEFORE UPDATE ON facts BEGIN {_REFUSED}; END",
    f"CREATE TRIGGER never_removed BEFORE DELETE ON facts BEGIN {_REFUSED}; END",
)


class SqliteFacts(FactReading):
    """The ledger in a SQLite file.

    Every fact carries the hash of itself and of the fact before it, so that a fact changed,
    removed or slipped in later breaks the chain at its place; ``verify`` finds it.

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
    >>> facts = SqliteFacts(Path(tempfile.mkdtemp()) / "gleis.db")
    >>> now = datetime(2013, 7, 4, 12, tzinfo=UTC)
    >>> facts.append("alarm", "temp", b"{}", now)
    1
    >>> facts.append_once("alarm", "temp", b"{}", now)
    False
    >>> facts.verify()
    1
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._database = Database(path, _SCHEMA, durable=durable)
        super().__init__(self._database.read)

    def append(self, kind: str, key: str, body: bytes, at: datetime) -> int:
        """Append a fact; return its sequence number once it is on disk."""
        with self._database.transaction() as connection:
            return _append(connection, kind, key, body, at)

    def append_once(self, kind: str, key: str, body: bytes, at: datetime) -> bool:
        """Append unless a fact of this kind and key exists; return whether it was appended."""
        with self._database.transaction() as connection:
            known = connection.execute(
                "SELECT 1 FROM facts WHERE kind = ? AND key = ? LIMIT 1", (kind, key)
            ).fetchone()
            if not known:
                _append(connection, kind, key, body, at)
        return not known

    def verify(self) -> int:
        """Walk the whole chain.

        Returns
        -------
        int
            Number of facts, all unbroken.

        Raises
        ------
        StoreError
            Naming the first fact that was changed, removed or slipped in.
        """
        seq = max((seq for seq, _ in self._walk()), default=0)
        given = self._database.read("SELECT seq FROM sqlite_sequence WHERE name = 'facts'")
        if given and given[0][0] != seq:
            raise chain_is_broken(seq + 1)
        return seq

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _append(connection: sqlite3.Connection, kind: str, key: str, body: bytes, at: datetime) -> int:
    last = connection.execute("SELECT seq, hash FROM facts ORDER BY seq DESC LIMIT 1").fetchone()
    seq: int = last[0] + 1 if last else 1
    before: str = last[1] if last else START
    fact = (seq, kind, key, to_micros(at), body)
    connection.execute(
        "INSERT INTO facts(seq, kind, key, at, body, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (*fact, chain_hash(before, *fact)),
    )
    return seq
