"""How far a stream was consumed, written in the transaction of what it was answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from gleis.contracts.errors import DataError
from gleis.contracts.prediction import Batch

_TABLE = """CREATE TABLE IF NOT EXISTS consumed(
    source TEXT NOT NULL,
    until INTEGER NOT NULL,
    seq INTEGER,
    runs TEXT NOT NULL,
    PRIMARY KEY (source, until)) WITHOUT ROWID"""
_runs = msgspec.json.Decoder(list[tuple[int, int, int]])


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
    positions: Sequence[int]
    """Where among the rows of the commit each of them is answered."""


class Place(NamedTuple):
    """Where the log holds the answer to a message."""

    offset: int
    """Of the message."""
    seq: int
    position: int


def check_answers(spans: Sequence[Span], batches: Sequence[Batch]) -> None:
    """See that there are as many answers as messages.

    Raises
    ------
    DataError
        There are not.
    """
    rows, offsets = sum(b.rows for b in batches), sum(len(span.offsets) for span in spans)
    if rows != offsets:
        raise DataError(f"{offsets} messages have {rows} answers", seen=rows)


def runs_of(span: Span) -> str:
    """Return where the answers of a span are, as a row of ``consumed`` keeps it."""
    return msgspec.json.encode(_to_runs(span.offsets, span.positions)).decode()


def fits(connection: sqlite3.Connection, spans: Sequence[Span]) -> bool:
    """Say whether all spans begin where their sources were consumed to.

    Called within the transaction that then writes; makes the table if need be, since logs of
    earlier versions do not have it.
    """
    connection.execute(_TABLE)
    return all(_position(connection, span.source) == span.since for span in spans)


def note(connection: sqlite3.Connection, spans: Sequence[Span], seq: int | None) -> None:
    """Note spans whose answers are entry ``seq``."""
    for span in spans:
        connection.execute(
            "INSERT INTO consumed(source, until, seq, runs) VALUES (?, ?, ?, ?)",
            (span.source, span.until, seq, runs_of(span)),
        )


_LAST = "SELECT max(until) FROM consumed WHERE source = ?"
KNOWN = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'consumed'"


def places(seq: int, runs: str) -> Iterator[Place]:
    """Return where each answered message of a row of ``consumed`` is."""
    for offset, position, count in _runs.decode(runs):
        for step in range(count):
            yield Place(offset + step, seq, position + step)


def _position(connection: sqlite3.Connection, source: str) -> int | None:
    found: int | None = connection.execute(_LAST, (source,)).fetchone()[0]
    return found


def _to_runs(offsets: Sequence[int], positions: Sequence[int]) -> list[list[int]]:
    """Turn messages and their answers, neighbours in both, into runs: [offset, position, count]."""
    runs: list[list[int]] = []
    for offset, position in zip(offsets, positions, strict=True):
        if runs and (offset, position) == (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]):
            runs[-1][2] += 1
        else:
            runs.append([offset, position, 1])
    return runs
