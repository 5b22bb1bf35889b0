"""A row check as a polars expression: which rows fail it, and a quick look whether any does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce
from operator import eq, ge, gt, le, lt, ne, or_
from typing import Any

import polars as pl

from gleis.contracts.checks import RowCheck, Rule
from gleis.contracts.errors import DataError

_FEW = 8
"""Texts up to which comparing with each is quicker than hashing every row."""
_COMPARED: dict[Rule, Callable[[pl.Expr, Any], pl.Expr]] = {
    "min": ge,
    "above": gt,
    "max": le,
    "below": lt,
    "equals": eq,
    "differs": ne,
}
_TEXT_RULES: dict[Rule, Callable[[Any, Any], pl.Expr]] = {
    "matches": lambda text, value: text.contains(whole(value)),
    "contains": lambda text, value: text.contains(value, literal=False),
    "starts": lambda text, value: text.starts_with(value),
    "ends": lambda text, value: text.ends_with(value),
    "min_length": lambda text, value: text.len_chars() >= value,
    "max_length": lambda text, value: text.len_chars() <= value,
}
_BOUNDS: frozenset[Rule] = frozenset(("min", "above", "max", "below"))


def failing(check: RowCheck, kind: pl.DataType, lookup: pl.Series | None = None) -> pl.Expr:
    """Return an expression that is true in rows that fail; never null.

    Parameters
    ----------
    check : RowCheck
        ``unique`` sees the rows of the frame only; what earlier rows hold is not known here.
    kind : DataType
        Of its column.
    lookup : Series, optional
        Values that a ``references`` check may find.

    Raises
    ------
    DataError
        If the rule cannot be asked of a column of this type.
    """
    if check.rule == "present":
        return _missing(check.column, kind)
    if check.rule == "unique":
        return _repeated(check)
    column = _read(check, kind)
    passes = _passes(check, column, kind, lookup)
    fails = ~passes
    return fails.fill_null(value=True) if check.nulls else fails.fill_null(value=False)


def quick(check: RowCheck, kind: pl.DataType, lookup: pl.Series | None = None) -> pl.Expr:
    """Return an expression with one value: false only if no row fails.

    It is a small fraction of the work of ``failing``: a limit needs the smallest and the largest
    value, not a comparison in each row.
    """
    column = pl.col(check.column)
    if check.rule == "present" and not kind.is_float():
        return column.null_count() > 0
    if check.rule == "unique" and len(check.names) == 1:
        if check.nulls:
            return column.n_unique() < pl.len()
        return column.n_unique() - (column.null_count() > 0).cast(pl.UInt32) < column.count()
    if check.rule in _BOUNDS and not check.nulls and _ordered(kind):
        high = check.rule in ("max", "below")
        end = column.max() if high else column.min()
        beyond = (~_passes(check, end, kind, None)).fill_null(value=False)
        # NaN is larger than any number, but no maximum: it fails a largest value, and only there.
        return beyond | column.is_nan().any() if high and kind.is_float() else beyond
    return failing(check, kind, lookup).any()


def _missing(name: str, kind: pl.DataType) -> pl.Expr:
    missing = pl.col(name).is_null()
    return missing | pl.col(name).is_nan().fill_null(value=False) if kind.is_float() else missing


def _repeated(check: RowCheck) -> pl.Expr:
    columns = pl.struct(check.names) if len(check.names) > 1 else pl.col(check.column)
    if check.keep == "first":
        repeated = ~columns.is_first_distinct()
    elif check.keep == "last":
        repeated = ~columns.is_last_distinct()
    else:
        repeated = columns.is_duplicated()
    if check.nulls:
        return repeated
    return repeated & pl.all_horizontal(pl.col(name).is_not_null() for name in check.names)


def _ordered(kind: pl.DataType) -> bool:
    return kind.is_numeric() or kind.is_temporal()


def _read(check: RowCheck, kind: pl.DataType) -> pl.Expr:
    """Return the column as the rule needs it."""
    column = pl.col(check.column)
    text = _is_text(kind)
    if check.rule in _TEXT_RULES and not text and kind != pl.Null:
        raise _unfit(check, kind)
    if check.rule in _BOUNDS and kind != pl.Null:
        if isinstance(check.value, int | float) and not kind.is_numeric():
            raise _unfit(check, kind)
        if hasattr(check.value, "isoformat") and not kind.is_temporal():
            raise _unfit(check, kind)
    return column.cast(pl.String) if text and kind != pl.String else column


def _is_text(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.String | pl.Categorical | pl.Enum)


def _passes(
    check: RowCheck, column: pl.Expr, kind: pl.DataType, lookup: pl.Series | None
) -> pl.Expr:
    """Return an expression that is true where the rule holds; null where nothing can be said."""
    value = check.value
    if check.rule in _COMPARED:
        return _COMPARED[check.rule](column, value)
    if check.rule == "in":
        return _among(column, value, kind)
    if check.rule == "not_in":
        return ~_among(column, value, kind)
    if check.rule == "whole":
        return column == column.floor() if kind.is_float() else pl.lit(value=True)
    if check.rule == "references":
        return column.is_in((pl.Series([], dtype=kind) if lookup is None else lookup).implode())
    return _TEXT_RULES[check.rule](column.str, value)


def whole(pattern: str) -> str:
    r"""Return a pattern that the whole text must match, not a part of it.

    Examples
    --------
    >>> whole("a|b")
    '^(?:a|b)$'
    """
    return f"^(?:{pattern})$"


def _among(column: pl.Expr, values: Sequence[Any], kind: pl.DataType) -> pl.Expr:
    values = list(values)
    if _is_text(kind) and 0 < len(values) <= _FEW and all(isinstance(v, str) for v in values):
        alike: list[pl.Expr] = [column == value for value in values]
        return reduce(or_, alike)
    if kind.is_numeric() and all(type(value) in (int, float) for value in values):
        return column.is_in(_as(values, kind).implode())
    return column.is_in(values)


def _as(values: Sequence[float], kind: pl.DataType) -> pl.Series:
    """Return numbers in a column's type; those that it cannot hold are in no row."""
    found = pl.Series(values, dtype=pl.Float64 if any(type(v) is float for v in values) else None)
    same = found.cast(kind, strict=False)
    if kind.is_integer():
        same = same.filter(same.cast(found.dtype) == found)
    return same.drop_nulls()


def compilable(pattern: str) -> bool:
    """Say whether polars takes a regular expression; it has no look-around."""
    try:
        re.compile(pattern)
        pl.select(pl.lit("x").str.contains(pattern))
    except (re.error, pl.exceptions.ComputeError):
        return False
    return True


def _unfit(check: RowCheck, kind: pl.DataType) -> DataError:
    return DataError(
        f"Column {check.column} holds {kind}, of which {check.rule} cannot be asked",
        seen=check.value,
        remedy="Mend the check, or the column's type in load.",
        field=check.column,
    )
