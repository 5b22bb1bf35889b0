"""Everything that is told of one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from gleis.contracts.analysis import Analysis, ColumnSummary
from gleis.contracts.contract import Task
from gleis.data.analysis.associations import associate
from gleis.data.analysis.columns import summarise_column
from gleis.data.analysis.coverage import cover
from gleis.data.analysis.duplicates import count_duplicates
from gleis.data.analysis.missing import missing_together
from gleis.data.analysis.relations import relate

SAMPLE = 50_000
"""Rows behind associations and relations; everything else is of all rows."""
_MOST = 150
"""Columns whose pairs are looked at: beyond, pairs are more than anybody reads."""


def analyse(
    frame: pl.DataFrame,
    *,
    roles: Mapping[str, str] | None = None,
    task: Task | None = None,
    personal: Mapping[str, Collection[str]] | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Analysis:
    """Analyse a table: columns, missing values, associations, time, duplicates, the target.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes it: missing values are null.
    roles : mapping of str to str, optional
        Column -> ``id``, ``time``, ``target``; others are features.
    task : str, optional
        What the target is; without it nothing is told of the target.
    personal : mapping of str to collection of str, optional
        Column -> kinds of personal data it holds; its values are masked.
    sample : int
        Rows, drawn at random, behind associations and relations.
    seed : int
        Of the draw.

    Examples
    --------
    >>> frame = pl.DataFrame({"x": [1, 2, 2, None], "y": ["a", "b", "b", "b"]})
    >>> found = analyse(frame)
    >>> found.duplicates.rows, [column.missing for column in found.columns]
    (1, [1, 0])
    """
    roles, personal = roles or {}, personal or {}
    by_role = {role: name for name, role in roles.items() if name in frame.columns}
    key, time, target = (by_role.get(role) for role in ("id", "time", "target"))
    columns = _columns(frame, roles, personal)
    sampled = frame.height > sample
    rows = frame.sample(sample, seed=seed) if sampled else frame
    names, left_out = _together(columns, key)
    pairs = associate(rows, names)
    alone = [each.name for each in columns if each.name not in (key, target) and each.distinct]
    return Analysis(
        rows=frame.height,
        columns=columns,
        missing_together=missing_together(frame),
        associations=pairs.found,
        pairs=pairs.pairs,
        coverage=cover(frame[time]) if time else None,
        duplicates=count_duplicates(frame, key),
        target=target,
        relations=relate(rows, target, task, alone, set(personal)) if target and task else (),
        sampled=rows.height if sampled else None,
        seed=seed,
        left_out=left_out,
    )


def _columns(
    frame: pl.DataFrame, roles: Mapping[str, str], personal: Mapping[str, Collection[str]]
) -> tuple[ColumnSummary, ...]:
    def summarise(name: str) -> Any:
        return summarise_column(frame[name], roles.get(name, "feature"), personal.get(name, ()))

    # Sorting does not hold the interpreter.
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(summarise, frame.columns))


def _together(
    columns: tuple[ColumnSummary, ...], key: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """Return the columns whose pairs mean something, and why others are left out."""
    names: list[str] = []
    left_out: list[str] = []
    for column in columns:
        if column.name == key:
            left_out.append(f"{column.name}: the id")
        elif column.kind == "time":
            left_out.append(f"{column.name}: a time")
        elif column.distinct < 2:
            left_out.append(f"{column.name}: one value")
        elif column.kind == "category" and "all different" in column.notes:
            left_out.append(f"{column.name}: all different")
        elif len(names) == _MOST:
            left_out.append(f"{column.name}: only the first {_MOST} are looked at")
        else:
            names.append(column.name)
    return names, tuple(left_out)
