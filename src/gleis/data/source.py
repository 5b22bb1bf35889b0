"""Rows from the project's own ``load``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from gleis.contracts.errors import DataError
from gleis.data.checks import check_times
from gleis.data.door import to_frame
from gleis.data.door_query import query_of

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.data.module import ProjectModule


class Loaded(NamedTuple):
    """What ``load`` gave."""

    frame: pl.DataFrame
    """As ``load_rows`` returns it."""
    query: str | None
    """The query behind it, where it is one."""


def load_rows(
    module: ProjectModule, settings: Settings, since: datetime | None, until: datetime | None
) -> pl.DataFrame:
    """Call ``load(since, until)`` and bring its rows through the door.

    Parameters
    ----------
    module : ProjectModule
        From ``open_module``.
    settings : Settings
        ``project.time`` is read.
    since : datetime or None
        First moment asked for, timezone-aware; None means from the beginning.
    until : datetime or None
        Moment before which rows are asked for (exclusive); None means no limit.

    Returns
    -------
    DataFrame, (n_rows, n_columns)
        Ordered by time where the project has a time column (rows of one time stay in the order
        ``load`` gave them). May have no rows.

    Raises
    ------
    ProjectError
        If ``load`` raises, or returns something else than a table.
    DataError
        If the table is malformed, or rows lie outside of [since, until).
    """
    return load_queried(module, settings, since, until).frame


def load_queried(
    module: ProjectModule, settings: Settings, since: datetime | None, until: datetime | None
) -> Loaded:
    """Do as ``load_rows`` does, and say which query gave the rows."""
    table = module.load(since, until)
    query = query_of(table)
    frame = to_frame(table)
    time = settings.project.time
    if time is None or frame.is_empty():
        return Loaded(frame, query)
    check_times(frame, settings)
    check_period(frame[time], since, until, "load")
    if not frame[time].is_sorted():
        frame = frame.sort(time, maintain_order=True)
    return Loaded(frame, query)


def check_period(
    times: pl.Series, since: datetime | None, until: datetime | None, function: str
) -> None:
    """Refuse rows outside of the period that a function of the project was asked for.

    Raises
    ------
    DataError
        Naming the function, how many rows there are, and one.
    """
    outside = pl.repeat(value=False, n=times.len(), eager=True)
    if since is not None:
        outside |= times < since
    if until is not None:
        outside |= times >= until
    count = outside.sum()
    if count:
        period = f"{_moment(since, 'the beginning')} <= {times.name} < {_moment(until, 'any')}"
        raise DataError(
            f"{function} returned {count:,} of {times.len():,} rows outside of the period it was "
            f"asked for, {period}; one has",
            seen=times.filter(outside)[0].isoformat(),
            remedy=f"Filter by {times.name} in {function}: since is inclusive, until exclusive.",
            field=times.name,
        )


def _moment(moment: datetime | None, otherwise: str) -> str:
    return otherwise if moment is None else moment.isoformat()
