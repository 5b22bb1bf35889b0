"""Rows by day, for a dataset named ``p``."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from gleis.contracts.dataset import Provenance

PROVENANCE = Provenance(
    source="p:load",
    since=None,
    until=None,
    loaded_at=datetime(2013, 6, 1, tzinfo=UTC),
    loaded_by="me@here",
    code="c1",
)


def days(*numbers, late=1):
    """Return a row for each day of January 2013; the day is its id."""
    times = [datetime(2013, 1, n, tzinfo=UTC) for n in numbers]
    return pl.DataFrame(
        {
            "id": numbers,
            "at": pl.Series(times, dtype=pl.Datetime("us", "UTC")),
            "x": [n / 2 for n in numbers],
            "z": ["a"] * len(numbers),
            "late": pl.Series([late] * len(numbers), dtype=pl.Int64),
        }
    )
