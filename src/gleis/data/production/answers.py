"""Answers of the prediction log that are due by a moment, as columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from gleis.data.production.cursor import Cursor, due
from gleis.data.production.weights import ROUTE, SHARE, VERSION
from gleis.store.log.log_store import LogStore
from gleis.store.log.logged import Logged, Matched

ID, ANSWERED, KNOWN = "prediction_id", "answered_at", "label_known_at"
ENTITY, EVENT, DUE = "_entity", "_event", "_due"
"""Names of the project's own id and time until they take the project's names."""
_PAGE = 20_000
_KINDS = {
    ID: pl.String(),
    ANSWERED: pl.Datetime("us", "UTC"),
    ENTITY: pl.String(),
    EVENT: pl.Datetime("us", "UTC"),
    DUE: pl.Datetime("us", "UTC"),
    ROUTE: pl.String(),
    VERSION: pl.Int64(),
    SHARE: pl.Float64(),
}


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Answers that are due since the last time, and how far that goes."""

    answers: list[pl.DataFrame]
    """One frame a batch: ``_KINDS`` and the features."""
    cursor: Cursor
    matches_after: int
    """Behind which match the labels of these answers are."""


def answers_due(log: LogStore, before: Cursor | None, cut: datetime) -> Due:
    """Read the answers whose time to get a label has passed since ``before`` and by ``cut``.

    Parameters
    ----------
    log : LogStore
    before : Cursor or None
        Up to where answers were taken already.
    cut : datetime
        Answers due later than this wait.
    """
    low = None if before is None else before.low
    after, matches = (0, 0) if low is None else log.since(low)
    taken: list[pl.DataFrame] = []
    newest: datetime | None = None
    waiting: datetime | None = None
    for logged in _batches(log, after):
        batch = logged.batch
        newest = batch.at if newest is None else max(newest, batch.at)
        dues = [due(batch.at, time) for time in batch.times]
        if any(moment > cut for moment in dues):
            waiting = batch.at if waiting is None else min(waiting, batch.at)
        fresh = [
            row
            for row, moment in enumerate(dues)
            if moment <= cut and (before is None or moment > before.cut) and row not in batch.erased
        ]
        if fresh:
            taken.append(_frame(logged, dues, fresh))
    ends = [moment for moment in (waiting, newest, low) if moment is not None]
    return Due(
        answers=taken,
        cursor=Cursor(cut=cut, low=_lowest(ends[0] if ends else None, cut)),
        matches_after=matches,
    )


def labels_behind(log: LogStore, after: int) -> list[Matched]:
    """Return all labels of answers behind a cursor, in the order in which they came."""
    found: list[Matched] = []
    while page := log.matched(after, _PAGE):
        found += page
        after = page[-1].cursor
    return found


def _lowest(moment: datetime | None, cut: datetime) -> datetime | None:
    """Answers that come into the log late, though given before ``cut``, are read again."""
    return None if moment is None else min(moment, cut) - timedelta(minutes=1)


def _batches(log: LogStore, after: int) -> Iterator[Logged]:
    while page := log.read(after, _PAGE):
        yield from page
        after = page[-1].seq


def _frame(logged: Logged, dues: list[datetime], rows: list[int]) -> pl.DataFrame:
    batch = logged.batch
    whole: dict[str, list[Any]] = {
        ID: logged.ids,
        ENTITY: batch.entities,
        EVENT: batch.times,
        DUE: dues,
        **{name: values for name, values in batch.features.items() if name not in _KINDS},
    }
    picked = {name: [values[row] for row in rows] for name, values in whole.items()}
    same = {
        ANSWERED: batch.at,
        ROUTE: "fallback" if batch.fallback else batch.role,
        VERSION: batch.version,
        SHARE: batch.share,
    }
    columns = [
        pl.Series(name, values, dtype=_KINDS.get(name), strict=False)
        for name, values in picked.items()
    ]
    return pl.DataFrame(columns).with_columns(
        pl.lit(value, dtype=_KINDS[name]).alias(name) for name, value in same.items()
    )
