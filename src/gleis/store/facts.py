"""The append-only ledger, chained by hashes: the audit trail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gleis.store.chain import START, chain_hash, chain_is_broken
from gleis.store.database import Database
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
_PAGE = 1000


class SqliteFacts:
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

    def latest(self, kind: str, key: str) -> bytes | None:
        """Return the newest body of this kind and key; None if there is none."""
        found = self._database.read(
            "SELECT body FROM facts WHERE kind = ? AND key = ? ORDER BY seq DESC LIMIT 1",
            (kind, key),
        )
        return found[0][0] if found else None

    def all(self, kind: str, *, until: datetime | None = None) -> Iterator[bytes]:
        """Return the bodies of this kind, oldest first, up to and including ``until``."""
        limit = 2**63 - 1 if until is None else to_micros(until)
        after = 0
        while page := self._database.read(
            "SELECT seq, at, body FROM facts WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?",
            (kind, after, _PAGE),
        ):
            yield from (body for _, at, body in page if at <= limit)
            after = page[-1][0]

    def keys(self, kind: str) -> list[str]:
        """Return the keys of this kind, each once, in the order of their first fact."""
        rows = self._database.read(
            "SELECT key FROM facts WHERE kind = ? GROUP BY key ORDER BY min(seq)", (kind,)
        )
        return [key for (key,) in rows]

    def last(self, *kinds: str) -> int:
        """Return the sequence number of the newest fact of these kinds; 0 if there is none."""
        # Of each kind the index knows its last entry: nothing is walked through.
        newest = " UNION ALL ".join(
            ["SELECT max(seq) AS seq FROM facts WHERE kind = ?"] * len(kinds)
        )
        rows = self._database.read(f"SELECT max(seq) FROM ({newest})", kinds)  # noqa: S608
        return rows[0][0] or 0

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
        before, seq, after = START, 0, -(2**63)
        while page := self._database.read(
            "SELECT seq, kind, key, at, body, hash FROM facts WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, _PAGE),
        ):
            for *fact, stated in page:
                seq, after = seq + 1, fact[0]
                # A body edited in a database shell comes back as text.
                if fact[0] != seq or not isinstance(fact[-1], bytes):
                    raise chain_is_broken(seq)
                if stated != chain_hash(before, *fact):
                    raise chain_is_broken(seq)
                before = stated
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
