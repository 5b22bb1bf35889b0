"""The online store in PostgreSQL: for a team that has one, and services on several machines."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

from psycopg import sql

from gleis.contracts.features import Written
from gleis.store.online.prompt_session import PromptSessions
from gleis.store.postgres.postgres import Postgres, Session, harmless

_LONGEST = 400
"""Bytes of a key that are kept as they are; an index takes no more than 2,700."""
_BATCH = 20_000
"""Rows in one transaction."""
_BYTEA = 17
_SCHEMA = (
    "CREATE TABLE online_rows(name text, key bytea, row bytea NOT NULL, PRIMARY KEY (name, key))",
    "CREATE TABLE online_notes(name text PRIMARY KEY, body bytea NOT NULL)",
)
_PUT = """INSERT INTO online_rows SELECT %s, key, row FROM coming
    ON CONFLICT (name, key) DO UPDATE SET row = excluded.row
    WHERE online_rows.row IS DISTINCT FROM excluded.row"""
_LOOKUPS = {
    "one": "SELECT row FROM online_rows WHERE name = $1::text AND key = $2::bytea",
    "many": "SELECT key, row FROM online_rows WHERE name = $1::text AND key = ANY($2::bytea[])",
}
_NOTE = """INSERT INTO online_notes VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET body = excluded.body"""
_Item = TypeVar("_Item")


class PostgresOnlineStore:
    """Newest rows by entity in a project's schema; see ``contracts.ports.OnlineStore``.

    Parameters
    ----------
    url : str
        ``postgresql://user@host:port/name``.
    schema : str
        The project's.
    patience : float
        Seconds to wait for an answer: a request waits that long at most.

    Raises
    ------
    ConfigError
        The URL is none of PostgreSQL's.
    StoreError
        In every method: the server cannot be reached, does not let us in or is full.
    """

    near = False

    def __init__(self, url: str, schema: str, patience: float = 0.25) -> None:
        self._database = Postgres(url, schema)
        self._prepared = False
        table = sql.Identifier(schema, "online_rows").as_string()
        self._sessions = PromptSessions(
            self._database.address,
            {name: text.replace("online_rows", table) for name, text in _LOOKUPS.items()},
            patience,
            self._prepare,
        )

    def look_up(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """Return the rows of entities; None for one that is not there."""
        if not keys:
            return []
        wanted = [_key(key) for key in keys]
        if len(wanted) == 1:
            found = self._sessions.ask("one", [table.encode(), wanted[0]])
            return [found[0][0] if found else None]
        found = self._sessions.ask("many", [table.encode(), _array(wanted)])
        rows = {row[0]: row[1] for row in found}
        return [rows.get(key) for key in wanted]

    def replace(self, table: str, rows: Mapping[str, bytes]) -> Written:
        """Make a table hold these rows and no others."""
        self._prepare()
        wanted = {_key(key): row for key, row in rows.items()}
        gone = sorted(self._keys(table) - wanted.keys())
        changed = 0
        for some in _in_batches(sorted(wanted.items())):
            changed += self._database.run(partial(_put, table=table, rows=some), harmless)
        return Written(changed=changed, removed=self._delete(table, gone))

    def remove(self, table: str, keys: Sequence[str]) -> int:
        """Delete the rows of entities; return how many were there."""
        self._prepare()
        return self._delete(table, [_key(key) for key in keys])

    def drop(self, table: str) -> int:
        """Delete a table, its note last; return how many rows it held."""
        self._prepare()
        removed = self._delete(table, sorted(self._keys(table)))
        self._database.write("DELETE FROM online_notes WHERE name = %s", (table,), harmless)
        return removed

    def scrub(self) -> None:
        """Let the server write over what was deleted; its write-ahead log and backups follow."""
        self._prepare()
        self._database.write("VACUUM online_rows", (), harmless)

    def note(self, table: str) -> bytes | None:
        """Return what was noted about a table."""
        self._prepare()
        found = self._database.read("SELECT body FROM online_notes WHERE name = %s", (table,))
        return found[0][0] if found else None

    def write_note(self, table: str, body: bytes) -> None:
        """Note something about a table."""
        self._prepare()
        self._database.write(_NOTE, (table, body), harmless)

    def tables(self) -> list[str]:
        """Return the names of tables with a note, sorted."""
        self._prepare()
        return sorted(name for (name,) in self._database.read("SELECT name FROM online_notes"))

    def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        self._prepare()
        found = self._database.read("SELECT count(*) FROM online_rows WHERE name = %s", (table,))
        return int(found[0][0])

    def close(self) -> None:
        """Close the connections."""
        self._sessions.close()
        self._database.close()

    def _prepare(self) -> None:
        if not self._prepared:
            self._database.prepare("online", _SCHEMA)
            self._prepared = True

    def _keys(self, table: str) -> set[bytes]:
        return {
            key
            for (key,) in self._database.read(
                "SELECT key FROM online_rows WHERE name = %s", (table,)
            )
        }

    def _delete(self, table: str, keys: Sequence[bytes]) -> int:
        return sum(
            self._database.run(partial(_take, table=table, keys=some), harmless)
            for some in _in_batches(keys)
        )


def _put(session: Session, table: str, rows: Sequence[tuple[bytes, bytes]]) -> int:
    session.execute("CREATE TEMPORARY TABLE coming(key bytea, row bytea) ON COMMIT DROP")
    with session.cursor() as cursor:
        with cursor.copy("COPY coming FROM STDIN (FORMAT BINARY)") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(_PUT, (table,))
        return cursor.rowcount


def _take(session: Session, table: str, keys: list[bytes]) -> int:
    sql = "DELETE FROM online_rows WHERE name = %s AND key = ANY(%s)"
    return session.execute(sql, (table, keys)).rowcount


def _key(key: str) -> bytes:
    body = key.encode()
    if len(body) <= _LONGEST:
        return b"k" + body
    return b"h" + hashlib.sha256(body).digest()


def _array(values: Sequence[bytes]) -> bytes:
    """Return an array of bytes as PostgreSQL reads it: one dimension, no nulls, from 1."""
    head = struct.pack("!iiIii", 1, 0, _BYTEA, len(values), 1)
    return head + b"".join(struct.pack("!i", len(value)) + value for value in values)


def _in_batches(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    left = iter(items)
    while some := list(islice(left, _BATCH)):
        yield some
