"""Copies tables from SQLite files into PostgreSQL, and compares them row by row.

Both sides are read whole. What is compared is the number of rows and the sum of their hashes, so
that neither the order of rows nor the collation of a database matters.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from psycopg import sql

from gleis.contracts.errors import StoreError
from gleis.store.postgres.postgres import Session

Row = tuple[Any, ...]
Change = Callable[[Any], Any]
_WRAP = 2**256
_PAGE = 2000
_encode = msgspec.msgpack.Encoder().encode

_COLUMNS = """SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s AND is_generated = 'NEVER'
    ORDER BY ordinal_position"""
_SEQUENCES = """SELECT column_name, pg_get_serial_sequence(
        format('%%I.%%I', table_schema, table_name), column_name) FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s"""


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose rows are the same on both sides."""

    table: str
    rows: int
    digest: str
    """Sum of the SHA-256 of its rows, in hex."""


class Sum:
    """Counts rows and adds up their hashes, in whatever order they come.

    Examples
    --------
    >>> one, other = Sum(), Sum()
    >>> rows = [(1, "a"), (2, None)]
    >>> list(one.over(rows)) == rows, list(other.over(rows[::-1])) == rows[::-1]
    (True, True)
    >>> one.found() == other.found()
    True
    """

    def __init__(self) -> None:
        self._rows = self._total = 0

    def over(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on."""
        for row in rows:
            digest = hashlib.sha256(_encode(row)).digest()
            self._total = (self._total + int.from_bytes(digest, "big")) % _WRAP
            self._rows += 1
            yield row

    def found(self) -> tuple[int, str]:
        """Return how many rows came, and the sum."""
        return self._rows, f"{self._total:064x}"


def tables_of(file: Path) -> list[str]:
    """Return the tables of a SQLite file; none if it is not there."""
    if not file.exists():
        return []
    with closing(open_source(file)) as source:
        found = source.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return [name for (name,) in found]


def open_source(file: Path) -> sqlite3.Connection:
    """Open a SQLite file to read it; nothing of it is changed, and nothing is left beside it.

    Raises
    ------
    StoreError
        It cannot be read.
    """
    try:
        log = file.with_name(f"{file.name}-wal")
        rest = log.exists() and log.stat().st_size
        # Nobody else uses it: without a log to read, SQLite needs no index of one beside it.
        how = "mode=ro" if rest else "immutable=1"
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True)
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"{file} cannot be read: {error}") from error
    return connection


def settle(file: Path) -> None:
    """Bring what waits in a file's write-ahead log into it: closing it later changes nothing.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"{file} cannot be written: {error}") from error


def copy_table(
    source: sqlite3.Connection,
    table: str,
    session: Session,
    target: tuple[str, str],
    changes: Mapping[str, Change] | None = None,
) -> Copied:
    """Copy a table, read both sides again, and compare.

    Parameters
    ----------
    source : Connection
    table : str
        Its name there.
    session : Session
        Within a transaction: the copy is there when that is committed.
    target : tuple of str
        Schema and table.
    changes : mapping of str to callable, optional
        What becomes of a column's values on the way.

    Raises
    ------
    StoreError
        The sides have other columns, or are not the same afterwards.
    """
    types: dict[str, str] = dict(session.execute(_COLUMNS, target).fetchall())
    columns = _columns_of(source, table)
    if set(columns) != set(types):
        raise StoreError(
            f"The table {table} has other columns here than in the database",
            seen=", ".join(sorted(set(columns) ^ set(types))),
            remedy="Let the same gleis open the project first: gleis doctor.",
        )
    ways = [_way(types[name], (changes or {}).get(name)) for name in columns]
    given, kept = Sum(), Sum()
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*target), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with session.cursor() as cursor, cursor.copy(copy) as writer:
        for row in given.over(_source_rows(source, table, columns, ways)):
            writer.write_row(row)
    for _ in kept.over(_target_rows(session, target, columns)):
        pass
    if given.found() != kept.found():
        raise StoreError(
            f"The table {table} is not the same in the database",
            seen=f"{given.found()[0]} rows here, {kept.found()[0]} there",
            remedy="Nothing was kept there. Report this; the project goes on as it is.",
        )
    rows, digest = given.found()
    return Copied(table=".".join(target), rows=rows, digest=digest)


def renumber(session: Session, target: tuple[str, str]) -> None:
    """Let the database count on from the greatest number it was given."""
    for column, sequence in session.execute(_SEQUENCES, target).fetchall():
        if sequence is not None:
            session.execute(
                sql.SQL("SELECT setval(%s, greatest((SELECT max({}) FROM {}), 1))").format(
                    sql.Identifier(column), sql.Identifier(*target)
                ),
                (sequence,),
            )


def _columns_of(source: sqlite3.Connection, table: str) -> list[str]:
    # A hidden column is one that is computed.
    found = source.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
    return [name for (name,) in found]


def _source_rows(
    source: sqlite3.Connection, table: str, columns: Sequence[str], ways: Sequence[Change | None]
) -> Iterator[Row]:
    named = ", ".join(f'"{name}"' for name in columns)
    cursor = source.execute(f'SELECT {named} FROM "{table}"')  # noqa: S608 - names of its schema
    while page := cursor.fetchmany(_PAGE):
        for row in page:
            yield tuple(
                value if way is None or value is None else way(value)
                for value, way in zip(row, ways, strict=True)
            )


def _target_rows(
    session: Session, target: tuple[str, str], columns: Sequence[str]
) -> Iterator[Row]:
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(*target)
    )
    with session.cursor("gleis_compare", binary=True) as cursor:
        cursor.itersize = _PAGE
        cursor.execute(query)
        for row in cursor:
            yield tuple(
                json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
                for value in row
            )


def _way(kind: str, change: Change | None) -> Change | None:
    """Return how a value of SQLite becomes one of a type that it does not have."""
    if change is not None:
        return change
    if kind == "boolean":
        return bool
    if kind in {"double precision", "real"}:
        return float
    if kind.startswith("timestamp"):
        return datetime.fromisoformat
    if kind in {"json", "jsonb"}:
        return lambda text: json.dumps(json.loads(text), sort_keys=True)
    return None
