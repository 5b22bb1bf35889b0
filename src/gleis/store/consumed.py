"""How far a stream was consumed, written in the transaction of what it was answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

_TABLE = """CREATE TABLE IF NOT EXISTS consumed(
    source TEXT NOT NULL,
    until INTEGER NOT NULL,
    seq INTEGER,
    first INTEGER NOT NULL,
    runs TEXT NOT NULL,
    PRIMARY KEY (source, until)) WITHOUT ROWID"""
_runs = msgspec.json.Decoder(list[tuple[int, int]])


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring messages of one source, consumed together: answered or set aside."""

    source: str
    """``"kafka flights flights-in/3"``: what counts its messages on its own."""
    since: int | None
    """Where the source was consumed to before; None if nothing of it was."""
    until: int
    """The first offset that is not consumed yet."""
    offsets: Sequence[int]
    """Offset of each answered message, increasing; the others of the span were set aside."""


class Place(NamedTuple):
    """Where the log holds the answer to a message."""

    offset: int
    """Of the message."""
    seq: int
    position: int


def fits(connection: sqlite3.Connection, spans: Sequence[Span]) -> bool:
    """Say whether all spans begin where their sources were consumed to.

    Called within the transaction that then writes; makes the table if need be, since logs of
    earlier versions do not have it.
    """
    connection.execute(_TABLE)
    return all(_position(connection, span.source) == span.since for span in spans)


def note(connection: sqlite3.Connection, spans: Sequence[Span], seq: int | None) -> None:
    """Note spans whose answers are entry ``seq``, one span's rows behind the other's."""
    first = 0
    for span in spans:
        runs = msgspec.json.encode(_to_runs(span.offsets)).decode()
        connection.execute(
            "INSERT INTO consumed(source, until, seq, first, runs) VALUES (?, ?, ?, ?, ?)",
            (span.source, span.until, seq, first, runs),
        )
        first += len(span.offsets)


LAST = "SELECT max(until) FROM consumed WHERE source = ?"
SINCE = """SELECT seq, first, runs FROM consumed
    WHERE source = ? AND until > ? AND seq IS NOT NULL ORDER BY until"""
KNOWN = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'consumed'"


def places(seq: int, first: int, runs: str) -> Iterator[Place]:
    """Return where each answered message of a row of ``SINCE`` is."""
    position = first
    for start, count in _runs.decode(runs):
        for offset in range(start, start + count):
            yield Place(offset, seq, position)
            position += 1


def _position(connection: sqlite3.Connection, source: str) -> int | None:
    found: int | None = connection.execute(LAST, (source,)).fetchone()[0]
    return found


def _to_runs(offsets: Sequence[int]) -> list[list[int]]:
    """Turn increasing offsets into runs: [start, count]."""
    runs: list[list[int]] = []
    for offset in offsets:
        if runs and offset == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([offset, 1])
    return runs
