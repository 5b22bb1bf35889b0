"""The online store in a SQLite file: nothing to install or to run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TypeVar

from gleis.contracts.errors import StoreError
from gleis.contracts.features import Written
from gleis.store.database import Database

_SCHEMA = (
    "CREATE TABLE rows(name TEXT, key TEXT, row BLOB NOT NULL, PRIMARY KEY (name, key)) "
    "WITHOUT ROWID",
    "CREATE TABLE notes(name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
)
_ONE = "SELECT row FROM rows WHERE name = ? AND key = ?"
_PUT = (
    "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET row = excluded.row "
    "WHERE row IS NOT excluded.row"
)
_MOST = 500
"""Keys in one statement."""
_BATCH = 20_000
"""Rows in one transaction: a reader, or a kill, waits for no more."""
_GLANCE = 1.0
"""Seconds after which a reader looks whether the file is still the one it reads."""
_Item = TypeVar("_Item")


class SqliteOnlineStore:
    """Newest rows by entity in a SQLite file; see ``contracts.ports.OnlineStore``.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.

    Raises
    ------
    StoreError
        Here and in every method: the file is read-only, full, damaged or closed.

    Examples
    --------
    >>> import tempfile
    >>> store = SqliteOnlineStore(Path(tempfile.mkdtemp()) / "features.db")
    >>> store.replace("weather", {"JFK": b"cold"})
    Written(changed=1, removed=0)
    >>> store.look_up("weather", ["LGA", "JFK"])
    [None, b'cold']
    """

    near = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = Database(path, _SCHEMA)
        self._lock = Lock()
        self._reader: sqlite3.Connection | None = None
        self._closed = False
        self._read_from: tuple[int, int] | None = None
        self._seen_at = -_GLANCE
        with self._lock, self._explained():
            self._follow()

    def look_up(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """Return the rows of entities; None for one that is not there."""
        with self._lock, self._explained():
            reader = self._follow()
            if len(keys) == 1:
                found = reader.execute(_ONE, (table, keys[0])).fetchone()
                return [found[0] if found else None]
            rows: dict[str, bytes] = {}
            for start in range(0, len(keys), _MOST):
                some = keys[start : start + _MOST]
                rows.update(reader.execute(_many(len(some)), (*some, table)).fetchall())
            return [rows.get(key) for key in keys]

    def replace(self, table: str, rows: Mapping[str, bytes]) -> Written:
        """Make a table hold these rows and no others."""
        known = {key for (key,) in self._database.read(_KEYS, (table,))}
        gone = sorted(known - rows.keys())
        changed = 0
        for some in _in_batches(sorted(rows.items())):
            with self._database.transaction() as connection:
                before = connection.total_changes
                connection.executemany(_PUT, ((table, key, row) for key, row in some))
                changed += connection.total_changes - before
        return Written(changed=changed, removed=self.remove(table, gone))

    def remove(self, table: str, keys: Sequence[str]) -> int:
        """Delete the rows of entities; return how many were there."""
        removed = 0
        for some in _in_batches(keys):
            with self._database.transaction() as connection:
                before = connection.total_changes
                connection.executemany(
                    "DELETE FROM rows WHERE name = ? AND key = ?", ((table, key) for key in some)
                )
                removed += connection.total_changes - before
        return removed

    def drop(self, table: str) -> int:
        """Delete a table, its note last; return how many rows it held."""
        removed = self.remove(table, [key for (key,) in self._database.read(_KEYS, (table,))])
        self._database.write("DELETE FROM notes WHERE name = ?", (table,))
        return removed

    def scrub(self) -> None:
        """Write the file anew without what was deleted."""
        self._database.rewrite()

    def note(self, table: str) -> bytes | None:
        """Return what was noted about a table."""
        found = self._database.read("SELECT body FROM notes WHERE name = ?", (table,))
        return found[0][0] if found else None

    def write_note(self, table: str, body: bytes) -> None:
        """Note something about a table."""
        self._database.write("REPLACE INTO notes VALUES (?, ?)", (table, body))

    def tables(self) -> list[str]:
        """Return the names of tables with a note, sorted."""
        return [name for (name,) in self._database.read("SELECT name FROM notes ORDER BY name")]

    def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        found: int = self._database.read("SELECT count(*) FROM rows WHERE name = ?", (table,))[0][0]
        return found

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        self._database.close()

    def _follow(self) -> sqlite3.Connection:
        """Return a connection to the file that is there now: it may have been made again."""
        if self._closed:
            raise StoreError(f"{self._path} is closed")
        if self._reader is not None and monotonic() - self._seen_at < _GLANCE:
            return self._reader
        try:
            found = self._path.stat()
        except FileNotFoundError as error:
            raise StoreError(
                f"{self._path} is gone", remedy="Make it again: gleis features materialise."
            ) from error
        if self._reader is None or self._read_from != (found.st_dev, found.st_ino):
            if self._reader is not None:
                self._reader.close()
            # A connection of its own: a lookup must not wait for `Database` to explain itself.
            self._reader = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False
            )
            self._reader.execute("PRAGMA query_only = ON")
            self._reader.execute("PRAGMA cache_size = -32000")
            self._reader.execute("PRAGMA mmap_size = 1073741824")
            self._read_from = found.st_dev, found.st_ino
        self._seen_at = monotonic()
        return self._reader

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"{self._path} fails: {error}",
                remedy="It can be made again: remove it, then gleis features materialise.",
            ) from error


@lru_cache(maxsize=_MOST)
def _many(count: int) -> str:
    """Return the statement that looks up so many keys; a join is a fifth quicker than ``IN``."""
    values = ",".join(["(?)"] * count)
    return (
        f"WITH asked(key) AS (VALUES {values}) SELECT asked.key, row FROM asked "  # noqa: S608
        "JOIN rows ON rows.name = ? AND rows.key = asked.key"
    )


_KEYS = "SELECT key FROM rows WHERE name = ?"


def _in_batches(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    left = iter(items)
    while some := list(islice(left, _BATCH)):
        yield some
