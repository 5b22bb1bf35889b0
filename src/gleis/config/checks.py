"""Whether the checks of ``[data.checks]`` and ``[data.rows]`` can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from gleis.config.check_settings import ColumnChecks, RowsChecks
from gleis.config.durations import parse_duration
from gleis.config.settings import Settings
from gleis.contracts.checks import ColumnType
from gleis.contracts.errors import ConfigError

_BOUNDS = ("min", "above", "max", "below")
_TEXTUAL = ("matches", "min_length", "max_length")


def check_checks(settings: Settings) -> None:
    """Check the checks: that each can hold, and that they do not contradict each other.

    Raises
    ------
    ConfigError
        Naming the key, the value and the remedy.
    """
    for prefix, columns, rows in _declared(settings):
        for name, column in columns.items():
            _column(f"{prefix}.checks.{name}", column)
            _references(f"{prefix}.checks.{name}", column, settings)
        _rows(f"{prefix}.rows", rows)


def _declared(
    settings: Settings,
) -> Iterator[tuple[str, Mapping[str, ColumnChecks], RowsChecks]]:
    yield "data", settings.data.checks, settings.data.rows
    for name, beside in settings.datasets.items():
        yield f"datasets.{name}", beside.checks, beside.rows


def _column(key: str, column: ColumnChecks) -> None:
    _range(key, column)
    _lists(key, column)
    _lengths(key, column)
    _pattern(key, column)
    _shares(key, column)
    _type(key, column)
    if column.fresh is not None:
        parse_duration(column.fresh, f"{key}.fresh")


def _range(key: str, column: ColumnChecks) -> None:
    given = {name: getattr(column, name) for name in _BOUNDS}
    for name, bound in given.items():
        if isinstance(bound, float) and not math.isfinite(bound):
            raise _wrong(f"{key}.{name}", bound, "is no limit", "Write a number, or leave it out.")
    for one, other in (("min", "above"), ("max", "below")):
        if given[one] is not None and given[other] is not None:
            raise _wrong(
                f"{key}.{other}",
                given[other],
                f"stands beside {one}",
                "One of the two says it: keep one.",
            )
    low = "min" if given["above"] is None else "above"
    high = "max" if given["below"] is None else "below"
    if given[low] is None or given[high] is None:
        return
    if isinstance(given[low], datetime) != isinstance(given[high], datetime):
        raise _wrong(
            f"{key}.{high}", given[high], f"and {low} are a number and a moment", "Mend one."
        )
    strict = (low, high) != ("min", "max")
    if _moment(given[low]) > _moment(given[high]) or (strict and given[low] == given[high]):
        raise _wrong(
            f"{key}.{high}",
            given[high],
            f"leaves no value with {low} = {given[low]}",
            "Exchange them, or mend one.",
        )


def _moment(bound: Any) -> Any:
    return bound.timestamp() if isinstance(bound, datetime) else bound


def _lists(key: str, column: ColumnChecks) -> None:
    lists = {"in": column.among, "not_in": column.not_among}
    if column.among is not None and column.not_among is not None:
        raise _wrong(f"{key}.not_in", column.not_among, "stands beside in", "Keep one of the two.")
    for name, values in lists.items():
        if values is None:
            continue
        if not values:
            raise _wrong(f"{key}.{name}", [], "names no value", "Name some, or leave it out.")
        kinds = {"number" if _is_number(value) else type(value).__name__ for value in values}
        if len(kinds) > 1:
            raise _wrong(
                f"{key}.{name}",
                list(values),
                "mixes texts and numbers",
                "Write values of one kind.",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _lengths(key: str, column: ColumnChecks) -> None:
    low, high = column.min_length, column.max_length
    for name, value in (("min_length", low), ("max_length", high)):
        if value is not None and value < 0:
            raise _wrong(f"{key}.{name}", value, "is no length", "Write 0 or more.")
    if low is not None and high is not None and low > high:
        raise _wrong(f"{key}.max_length", high, f"is less than min_length = {low}", "Mend one.")


def _pattern(key: str, column: ColumnChecks) -> None:
    if column.matches is None:
        return
    try:
        re.compile(column.matches)
    except re.error as error:
        raise _wrong(
            f"{key}.matches",
            column.matches,
            f"is no regular expression ({error})",
            "Mend it; in single quotes TOML leaves backslashes alone.",
        ) from None
    if re.search(r"\(\?(?:[=!]|<[=!]|P=)|\\[1-9]", column.matches):
        raise _wrong(
            f"{key}.matches",
            column.matches,
            "looks around or back",
            "Such an expression takes ever longer on long texts; write it without.",
        )


def _shares(key: str, column: ColumnChecks) -> None:
    missing, psi = column.max_missing, column.max_psi
    if missing is not None and not 0 <= missing <= 1:
        raise _wrong(f"{key}.max_missing", missing, "is no share", "Write a number from 0 to 1.")
    if missing is not None and not column.nullable:
        raise _wrong(
            f"{key}.max_missing",
            missing,
            "stands beside nullable = false",
            "Where none may be missing, no share may be: keep one.",
        )
    if psi is not None and not 0 < psi < math.inf:
        raise _wrong(
            f"{key}.max_psi", psi, "is no limit", "Write a positive number; 0.25 is a large shift."
        )


def _type(key: str, column: ColumnChecks) -> None:
    """See that everything declared can be asked of the declared type."""
    kind = column.type or _implied(column)
    numeric = kind in ("number", "integer")
    for name in _BOUNDS:
        bound = getattr(column, name)
        if bound is None or kind is None:
            continue
        if isinstance(bound, datetime) != (kind == "time") or not (numeric or kind == "time"):
            raise _unfit(f"{key}.{name}", bound, kind)
    for name in _TEXTUAL:
        if getattr(column, name) is not None and kind not in (None, "text"):
            raise _unfit(f"{key}.{name}", getattr(column, name), kind)
    if column.fresh is not None and kind not in (None, "time"):
        raise _unfit(f"{key}.fresh", column.fresh, kind)
    for name, values in (("in", column.among), ("not_in", column.not_among)):
        fits = (
            numeric
            if _is_number((values or (0,))[0])
            else kind == ("boolean" if isinstance((values or ("",))[0], bool) else "text")
        )
        if values is not None and kind is not None and not fits:
            raise _unfit(f"{key}.{name}", list(values), kind)


def _implied(column: ColumnChecks) -> ColumnType | None:
    """Return what its other keys say that a column holds, where ``type`` does not."""
    if any(getattr(column, name) is not None for name in _TEXTUAL):
        return "text"
    if column.fresh is not None:
        return "time"
    bounds = [getattr(column, name) for name in _BOUNDS]
    for bound in bounds:
        if bound is not None:
            return "time" if isinstance(bound, datetime) else "number"
    return None


def _references(key: str, column: ColumnChecks, settings: Settings) -> None:
    if column.references is None:
        return
    known = [settings.project.name, *settings.datasets]
    name, _, asked = column.references.partition(".")
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise _wrong(
            f"{key}.references",
            column.references,
            "names no dataset of the project",
            f"{f'Did you mean {near[0]}? ' if near else ''}It has {', '.join(known)}; write "
            "dataset.column.",
        )
    beside = settings.datasets.get(name)
    if not asked and (settings.project.id if beside is None else beside.id) is None:
        raise _wrong(
            f"{key}.references",
            column.references,
            "names a dataset without an id",
            f"Name the column: {name}.column.",
        )


def _rows(key: str, rows: RowsChecks) -> None:
    for name in ("min", "max", "min_new", "max_new"):
        value = getattr(rows, name)
        if value is not None and value < 0:
            raise _wrong(f"{key}.{name}", value, "is no number of rows", "Write 0 or more.")
    for low, high in (("min", "max"), ("min_new", "max_new")):
        least, most = getattr(rows, low), getattr(rows, high)
        if least is not None and most is not None and least > most:
            raise _wrong(f"{key}.{high}", most, f"is less than {low} = {least}", "Mend one.")
    for columns in rows.unique:
        if len(columns) < 2 or len(set(columns)) < len(columns):
            raise _wrong(
                f"{key}.unique",
                [list(each) for each in rows.unique],
                "is no list of lists of different columns",
                'Write [["carrier", "day"]]; for one column, unique = true among its checks.',
            )


def _unfit(key: str, value: object, kind: str) -> ConfigError:
    shown = value.isoformat() if isinstance(value, datetime) else value
    return _wrong(key, shown, f"cannot be asked of a {kind} column", "Mend it, or the type.")


def _wrong(key: str, value: object, what: str, remedy: str) -> ConfigError:
    return ConfigError(f"{key} {what}", seen=value, remedy=remedy, field=key)
