"""Everything that differs between two tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from gleis.contracts.contract import Task
from gleis.contracts.difference import Difference, Shift, TypeChange
from gleis.data.analysis.row_changes import Matched, match_rows
from gleis.data.analysis.shifts import Overlap, shift_of

_ORDER = {"large": 0, "medium": 1, "small": 2, "negligible": 3, "none": 4}
_LEVEL = 0.95


def compare_tables(
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    names: tuple[str, str] = ("before", "after"),
    roles: Mapping[str, str] | None = None,
    task: Task | None = None,
    personal: Collection[str] = (),
    only_added: bool = False,
) -> Difference:
    """Compare two tables: columns, rows, and how the distribution of each column moved.

    Parameters
    ----------
    before, after : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes them.
    names : tuple of str
        What the two are called.
    roles : mapping of str to str, optional
        Column -> ``id``, ``time``, ``target``; others are features.
    task : str, optional
        What the target is; classes are compared as categories.
    personal : collection of str
        Columns whose values are masked.
    only_added : bool
        Compare the distributions of the rows before with those of the added rows, instead of all
        with all: of a small append the latter moves little.

    Returns
    -------
    Difference
        Exact, but for the Wasserstein distance, which is summed up over 4,096 quantiles.

    Examples
    --------
    >>> one = pl.DataFrame({"id": [1, 2], "x": [5.0, 6.0]})
    >>> found = compare_tables(one, one.with_columns(y=pl.lit(1)), roles={"id": "id"})
    >>> found.columns_added, found.rows.same, found.shifts[0].size
    (('y',), 2, 'none')
    """
    roles = roles or {}
    key = next((name for name, role in roles.items() if role == "id"), None)
    matched = match_rows(before, after, key, personal)
    types = tuple(
        TypeChange(column=name, before=_brief(before.schema[name]), after=_brief(kind))
        for name, kind in after.schema.items()
        if name in before.columns and before.schema[name] != kind
    )
    return Difference(
        before=names[0],
        after=names[1],
        rows_before=before.height,
        rows_after=after.height,
        columns_added=tuple(name for name in after.columns if name not in before.columns),
        columns_removed=tuple(name for name in before.columns if name not in after.columns),
        types_changed=types,
        rows=matched.change,
        only_added=only_added,
        shifts=_shifts(before, after, matched, roles, task, personal, only_added=only_added),
        level=_LEVEL,
    )


def _shifts(
    before: pl.DataFrame,
    after: pl.DataFrame,
    matched: Matched,
    roles: Mapping[str, str],
    task: Task | None,
    personal: Collection[str],
    *,
    only_added: bool,
) -> tuple[Shift, ...]:
    columns = [
        name
        for name in after.columns
        if before.schema.get(name) == after.schema[name] and roles.get(name) != "id"
    ]
    second = after[matched.added] if only_added else after
    alpha = (1 - _LEVEL) / max(1, len(columns))

    def shift(name: str) -> Shift:
        role = roles.get(name, "feature")
        none = Overlap(0, 0)
        overlap = none if only_added else Overlap(matched.kept[name], matched.same[name])
        classes = role == "target" and task not in (None, "regression")
        return shift_of(
            before[name],
            second[name],
            overlap,
            alpha,
            role=role,
            as_category=classes,
            personal=name in personal,
        )

    # Sorting does not hold the interpreter.
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(shift, columns))
    return tuple(
        sorted(found, key=lambda each: (each.role != "target", _ORDER[each.size], -_effect(each)))
    )


def _effect(shift: Shift) -> float:
    numbers = max(abs(shift.difference or 0.0), shift.distance or 0.0)
    return max(numbers, shift.psi or 0.0, abs(shift.missing_after - shift.missing_before))


def _brief(kind: pl.DataType) -> str:
    return str(kind).partition("(")[0]
