"""How rows lie in time: rows by hour, day, week or month, and where there are none."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from gleis.contracts.analysis import Coverage, Every, Gap

_STEPS: dict[Every, str] = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo"}
_MOST_GAPS = 50


def cover(times: pl.Series) -> Coverage | None:
    """Count rows by stretches of time.

    Hours up to three days, days up to 400, weeks up to eight years, else months (UTC).

    Parameters
    ----------
    times : Series of Datetime, (n_rows,)
        In UTC; null ones are left out.

    Returns
    -------
    Coverage or None
        None without a time.
    """
    times = times.drop_nulls()
    if times.is_empty():
        return None
    first, last = _moment(times.min()), _moment(times.max())
    every = _every(last - first)
    counted = (
        pl.DataFrame({"start": times.dt.truncate(_STEPS[every])})
        .group_by("start")
        .agg(pl.len().alias("rows"))
    )
    whole = pl.DataFrame(
        {
            "start": pl.datetime_range(
                _moment(counted["start"].min()),
                _moment(counted["start"].max()),
                _STEPS[every],
                eager=True,
            )
        }
    ).with_columns(pl.col("start").cast(times.dtype))
    filled = whole.join(counted, on="start", how="left", maintain_order="left").with_columns(
        pl.col("rows").fill_null(0)
    )
    starts, rows = filled["start"].to_list(), filled["rows"].to_list()
    return Coverage(
        column=times.name,
        first=first,
        last=last,
        every=every,
        starts=tuple(starts),
        rows=tuple(rows),
        gaps=tuple(_gaps(starts, rows))[:_MOST_GAPS],
        thin=tuple(_thin(starts, rows)),
        by_hour=_counts(times.dt.hour(), 24),
        by_weekday=_counts(times.dt.weekday() - 1, 7),
    )


def _moment(value: Any) -> datetime:
    moment: datetime = value
    return moment


def _every(span: timedelta) -> Every:
    if span <= timedelta(days=3):
        return "hour"
    if span <= timedelta(days=400):
        return "day"
    return "week" if span <= timedelta(days=8 * 365) else "month"


def _gaps(starts: list[datetime], rows: list[int]) -> list[Gap]:
    found, at = [], 0
    for empty, run in groupby(rows, key=lambda count: count == 0):
        size = len(list(run))
        if empty:
            found.append(Gap(start=starts[at], end=starts[at + size]))  # the last is never empty
        at += size
    return found


def _thin(starts: list[datetime], rows: list[int]) -> list[datetime]:
    usual = float(np.median([count for count in rows if count]))
    inner = zip(starts[1:-1], rows[1:-1], strict=True)
    return [start for start, count in inner if 0 < count < usual / 10]


def _counts(places: pl.Series, size: int) -> tuple[int, ...]:
    return tuple(np.bincount(places.to_numpy(), minlength=size).tolist())
