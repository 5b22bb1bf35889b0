"""Point-in-time joins: what was known of an entity at a moment, and nothing that came later.

A row of the source has two times: when it happened (event) and since when it was known. At a
moment t, rows with event <= t and known <= t may be used, and of these the one with the newest
event counts; of several about the same event, the one known last (a correction), then the one that
came last.

That is an as-of join on one axis after all. A row may be used from max(event, known) on. Taken in
the order of (that moment, event, known, position), a row becomes the best of its entity if no row
before it has a newer event: of several about one event, the order is that in which they were known.
So the best row only changes at some of them, and at t the last change counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl


def find_known(
    asked: pl.DataFrame,
    source: pl.DataFrame,
    *,
    entity: Sequence[str],
    time: str,
    event: str,
    known: str,
    ttl: timedelta | None = None,
) -> pl.Series:
    """Find the row of the source that counted for each entity at each moment.

    Parameters
    ----------
    asked : DataFrame, (n_asked, ...)
        Holds the entity columns and the moments.
    source : DataFrame, (n_source, ...)
        Holds the entity columns, of the same types, and the two times. Rows in which one of them is
        null are never found.
    entity : sequence of str
        Columns that name the entity, in both.
    time : str
        Column of the moments.
    event, known : str
        Columns of the source; they may be the same.
    ttl : timedelta, optional
        A row whose event is further back than this is too old: nothing is found then, as the
        older ones are older still.

    Returns
    -------
    Series of UInt32, (n_asked,)
        Position in the source; null where nothing was known.

    Examples
    --------
    A correction of the first hour, known at 3, is not used at 2:

    >>> source = pl.DataFrame(
    ...     {"station": ["A"] * 3, "hour": [1, 1, 2], "known": [1, 3, 4], "temp": [5, 6, 7]}
    ... )
    >>> asked = pl.DataFrame({"station": ["A"] * 4, "now": [0, 2, 3, 4]})
    >>> at = {"entity": ["station"], "time": "now", "event": "hour", "known": "known"}
    >>> find_known(asked, source, **at).to_list()
    [None, 0, 1, 2]
    """
    asked = asked.select(*entity, pl.col(time).alias("_asked")).with_row_index("_at")
    dated = source.select(*entity, *dict.fromkeys((event, known))).with_row_index("_found")
    for name in entity:
        asked, dated = _numbered(asked, dated, name)
    steps = _steps(dated, entity, event, known)
    found = (
        asked.filter(pl.col("_asked").is_not_null())
        .sort("_asked")
        .join_asof(
            steps,
            left_on="_asked",
            right_on="_usable",
            by=list(entity),
            strategy="backward",
            check_sortedness=False,
        )
        .select("_at", "_asked", "_found")
    )
    if ttl is not None:
        events = source[event].gather(found["_found"]) if found.height else found["_asked"]
        young = (found["_asked"] - events) <= ttl
        found = found.with_columns(pl.when(young).then(pl.col("_found")))
    answers = np.full(asked.height, source.height, dtype=np.uint32)
    answers[found["_at"].to_numpy()] = found["_found"].fill_null(source.height).to_numpy()
    named = pl.Series("_found", answers)
    return named.set(named == source.height, None)


def newest_known(
    source: pl.DataFrame, at: datetime, *, entity: Sequence[str], event: str, known: str
) -> pl.DataFrame:
    """Return the row of each entity that counts at one moment, in the order of the source.

    Parameters
    ----------
    source, entity, event, known
        As for ``find_known``.
    at : datetime
        The moment; rows too old for a ttl are here: it is held against them when they are used.

    Examples
    --------
    >>> source = pl.DataFrame({"s": ["A", "A", "B"], "hour": [2, 1, 9], "temp": [7, 6, 8]})
    >>> newest_known(source, 3, entity=["s"], event="hour", known="hour").rows()
    [('A', 2, 7)]
    """
    usable = source.with_row_index("_at").filter(
        pl.col(event) <= at, pl.col(known) <= at, *(pl.col(name).is_not_null() for name in entity)
    )
    times = list(dict.fromkeys((event, known, "_at")))
    newest = usable.sort(times).unique(list(entity), keep="last")
    return newest.sort("_at").drop("_at")


def next_change(source: pl.DataFrame, at: datetime, *, event: str, known: str) -> datetime | None:
    """Return the next moment at which a row of the source becomes usable; None if none will."""
    later = source.select(_usable=pl.max_horizontal(event, known)).filter(pl.col("_usable") > at)
    found: datetime | None = later["_usable"].min()  # type: ignore[assignment]
    return found


def _numbered(
    asked: pl.DataFrame, source: pl.DataFrame, name: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return both tables with numbers in the place of texts: they sort and match quicker."""
    if source.schema[name] != pl.String:
        return asked, source
    # Together, so that one text has one number in both.
    texts = pl.concat([source[name], asked[name]]).cast(pl.Categorical).to_physical()
    count = source.height
    return asked.with_columns(texts[count:]), source.with_columns(texts[:count])


def _steps(rows: pl.DataFrame, entity: Sequence[str], event: str, known: str) -> pl.DataFrame:
    """Return when the best row of an entity changes, and to which: ``_usable``, ``_found``."""
    times = list(dict.fromkeys((event, known)))
    rows = rows.filter(pl.all_horizontal(pl.col(*entity, *times).is_not_null()))
    rows = rows.with_columns(_usable=pl.max_horizontal(times))
    if event == known:
        return rows.sort("_usable", maintain_order=True).select(*entity, "_usable", "_found")
    rows = rows.sort("_usable", event, known, "_found")
    newest = pl.col(event).cum_max().over(list(entity))
    return rows.filter(pl.col(event) == newest).select(*entity, "_usable", "_found")
