"""Records, such as JSON objects, as rows of a table: what does not fit is named one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from gleis.data.sources.moments import parse_moment

_UTC = pl.Datetime("us", "UTC")
_ALLOWED: dict[str, tuple[type, ...]] = {
    "Int64": (int,),
    "Float64": (int, float),
    "Boolean": (bool,),
    "String": (str,),
    "time": (str, datetime),
}
_NAMES: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    list: "a list",
    dict: "an object",
    datetime: "a time",
    type(None): "null",
}
_WANTED = {
    "Int64": "whole numbers",
    "Float64": "numbers",
    "Boolean": "true or false",
    "String": "text",
    "time": "times",
}


class Misfit(NamedTuple):
    """A record that is no row of the table."""

    at: int
    """Its place among the records."""
    reason: str
    """Without the value: that may be somebody's, and reasons are kept for ever."""
    seen: object
    """The value; an Ellipsis where none is at fault."""


Reasons = dict[int, tuple[str, object]]
"""Index of a record -> why it is no row, and the value at fault."""


class Rows(NamedTuple):
    """Records as a table, and those that are left out."""

    frame: pl.DataFrame
    kept: list[int]
    """Index of the record behind each row."""
    misfits: list[Misfit]


def to_rows(
    records: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
) -> Rows:
    """Turn records into rows.

    A field that is missing is null. With ``columns`` a record that has another field, or a value
    of another type, is a misfit; whole numbers fit a column of fractional ones. Without, the first
    value of a field tells its type.

    Parameters
    ----------
    records : sequence of mappings, (n_records,)
    columns : mapping of str to str, optional
        Column -> type, as `DatasetVersion.columns` has them.
    types : mapping of str to str, optional
        Column -> ``Int64``, ``Float64``, ``Boolean``, ``String`` or ``time``, where it is known
        otherwise.

    Examples
    --------
    >>> found = to_rows([{"x": 1}, {"x": 2.5}, {"x": "a"}])
    >>> found.frame["x"].to_list(), found.misfits[0].reason
    ([1.0, 2.5], 'x is text; the column holds numbers')
    """
    kinds = _kinds(records, columns, types or {})
    reasons: Reasons = {}
    if columns is not None:
        for index, record in enumerate(records):
            if not record.keys() <= columns.keys():
                unknown = sorted(record.keys() - columns.keys())
                reasons[index] = (f"{', '.join(unknown)}: the dataset has no such column", ...)
    values = {name: _column(name, kind, records, reasons) for name, kind in kinds.items()}
    kept = [index for index in range(len(records)) if index not in reasons]
    frame = pl.DataFrame(
        [
            pl.Series(name, [values[name][index] for index in kept], _dtype(kind, columns, name))
            for name, kind in kinds.items()
        ]
    )
    return Rows(frame, kept, [Misfit(index, *reasons[index]) for index in sorted(reasons)])


def _kinds(
    records: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str] | None,
    types: Mapping[str, str],
) -> dict[str, str]:
    if columns is not None:
        return {name: _kind(text) for name, text in columns.items()}
    found: dict[str, str] = {}
    for record in records:
        for name, value in record.items():
            found[name] = _wider(found.get(name, "Null"), types.get(name), value)
    return found


def _wider(known: str, given: str | None, value: Any) -> str:
    if given is not None:
        return given
    kind = {bool: "Boolean", int: "Int64", float: "Float64", str: "String", datetime: "time"}
    seen = kind.get(type(value))
    if known == "Null":
        return seen or ("Null" if value is None else "Nested")
    return "Float64" if {known, seen} == {"Int64", "Float64"} else known


def _kind(text: str) -> str:
    if text.startswith("Datetime"):
        return "time"
    if text.startswith("Int"):
        return "Int64"
    return "Float64" if text.startswith("Float") else text


def _dtype(kind: str, columns: Mapping[str, str] | None, name: str) -> pl.DataType:
    if kind == "time":
        return _UTC
    if kind in ("Null", "Nested"):
        return pl.Null()
    plain: type[pl.DataType] = getattr(pl, columns[name] if columns else kind)
    return plain()


def _column(
    name: str,
    kind: str,
    records: Sequence[Mapping[str, Any]],
    reasons: Reasons,
) -> list[Any]:
    values = [record.get(name) for record in records]
    allowed = _ALLOWED.get(kind, ())
    if not set(map(type, values)) <= {*allowed, type(None)}:
        for index, value in enumerate(values):
            if value is not None and type(value) not in allowed:
                what = _NAMES.get(type(value), type(value).__name__)
                holds = _WANTED.get(kind, "numbers, text, booleans or times")
                reasons.setdefault(index, (f"{name} is {what}; the column holds {holds}", value))
    if kind == "Int64":
        _check_size(name, values, reasons)
    return _moments(name, values, reasons) if kind == "time" else values


def _check_size(name: str, values: list[Any], reasons: Reasons) -> None:
    for index, value in enumerate(values):
        if type(value) is int and not -(1 << 63) <= value < 1 << 63:
            reasons.setdefault(index, (f"{name} does not fit into 64 bits", value))


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        return parse_moment(value)
    return value if isinstance(value, datetime) else None


def _moments(name: str, values: list[Any], reasons: Reasons) -> list[Any]:
    found = [_moment(value) for value in values]
    zoned = any(one is not None and one.tzinfo is not None for one in found)
    for index, (value, moment) in enumerate(zip(values, found, strict=True)):
        if value is not None and moment is None:
            reasons.setdefault(index, (f"{name} is no ISO 8601 time", value))
        elif moment is not None and moment.tzinfo is None:
            if zoned:
                reasons.setdefault(
                    index, (f"{name} is a time without a zone; others have one", value)
                )
            found[index] = moment.replace(tzinfo=UTC)
    return found
