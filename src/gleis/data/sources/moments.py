"""Times written as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from gleis.contracts.errors import DataError

_ZONED = re.compile(r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$")


def parse_moment(text: str) -> datetime | None:
    """Read an ISO 8601 time, in UTC or naive as it is written; None if it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def to_moments(name: str, texts: Sequence[str | None]) -> pl.Series:
    """Turn text into times in UTC; text without a zone is taken to be UTC.

    Parameters
    ----------
    name : str
        Of the column.
    texts : sequence of str or None, (n_rows,)
        ISO 8601, with or without a zone.

    Raises
    ------
    DataError
        If one is no time, or if some have a zone and some have none.

    Examples
    --------
    >>> to_moments("at", ["2013-01-01T01:00+01:00", None]).to_list()
    [datetime.datetime(2013, 1, 1, 0, 0, tzinfo=zoneinfo.ZoneInfo(key='UTC')), None]
    """
    found = [None if text is None else parse_moment(text) for text in texts]
    for row, (text, moment) in enumerate(zip(texts, found, strict=True)):
        if text is not None and moment is None:
            raise DataError(
                f"Column {name} should hold times, and row {row + 1} has",
                seen=text,
                remedy="Write ISO 8601, such as 2013-01-31T08:30:00Z.",
                field=name,
            )
    check_zones(name, [moment for moment in found if moment is not None])
    plain = [None if one is None else one.replace(tzinfo=None) for one in found]
    return pl.Series(name, plain, pl.Datetime("us")).dt.replace_time_zone("UTC")


def check_zones(name: str, moments: Sequence[datetime]) -> None:
    """Refuse times of which some have a zone and some have none.

    Raises
    ------
    DataError
        Naming one of each: which moments the naive ones are cannot be known.
    """
    naive = next((one for one in moments if one.tzinfo is None), None)
    zoned = next((one for one in moments if one.tzinfo is not None), None)
    if naive is not None and zoned is not None:
        raise DataError(
            f"Column {name} mixes times with a zone and times without one",
            seen=[zoned.isoformat(), naive.isoformat()],
            remedy="Write all with a zone, or none.",
            field=name,
        )


def looks_mixed(texts: pl.Series) -> bool:
    """Say whether text is all times, of which some have a zone and some have none."""
    some = texts.drop_nulls().unique().head(1000).to_list()
    if not some or any(parse_moment(text) is None for text in some):
        return False
    zoned = sum(bool(_ZONED.search(text.strip())) and "T" in text.upper() for text in some)
    return 0 < zoned < len(some)
