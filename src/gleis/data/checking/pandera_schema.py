"""A pandera schema of the project: what can be is compiled, the rest is run by pandera itself.

pandera is asked, without any data to look at, which columns must be there, of which types, and how
they are coerced. Built-in checks, ``nullable`` and ``unique`` become checks in our one form and are
asked with all others in one pass. A check that is a function of the project's is called as pandera
would call it.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.checks import RowCheck, Rule
from gleis.contracts.clock import utc
from gleis.contracts.errors import DataError, ProjectError
from gleis.data.checking.expressions import compilable
from gleis.data.checking.one_pass import Failing
from gleis.data.checking.parsed import Parsed

_log = logging.getLogger(__name__)
_OUTPUT = "check_output"
"""Column in which pandera says whether a row passes."""
_ONE: dict[str, tuple[str, Rule]] = {
    "equal_to": ("value", "equals"),
    "not_equal_to": ("value", "differs"),
    "greater_than": ("min_value", "above"),
    "greater_than_or_equal_to": ("min_value", "min"),
    "less_than": ("max_value", "below"),
    "less_than_or_equal_to": ("max_value", "max"),
    "isin": ("allowed_values", "in"),
    "notin": ("forbidden_values", "not_in"),
    "str_matches": ("pattern", "contains"),
    "str_contains": ("pattern", "contains"),
    "str_startswith": ("string", "starts"),
    "str_endswith": ("string", "ends"),
}


class PanderaSchema:
    """What a ``DataFrameSchema`` says that rows must hold.

    Parameters
    ----------
    schema : pandera.polars.DataFrameSchema
    place : str
        Where it stands, for errors: ``schema.py: weather``.
    """

    def __init__(self, schema: Any, place: str) -> None:
        self._schema = schema
        self._place = place
        self._bare = _without_checks(schema)

    def parse(self, frame: pl.DataFrame) -> Parsed:
        """Let pandera see to columns and types, coerce, and fill in what is missing.

        Raises
        ------
        DataError
            A column is missing, out of place or of another type.
        """
        failing: list[Failing] = []
        positions = np.arange(frame.height, dtype=np.intp)
        while not isinstance(parsed := self._read(frame[positions]), pl.DataFrame):
            failing.append(Failing(parsed.failure, parsed.names, positions[parsed.positions]))
            positions = np.delete(positions, parsed.positions)
        return Parsed(parsed, positions, tuple(failing))

    def rows(self, columns: Sequence[str]) -> tuple[RowCheck, ...]:
        """Return the checks that can be compiled, for a frame with these columns."""
        return tuple(
            check
            for name, column in self._columns(columns)
            for check in (
                *_null_and_unique(name, column),
                *(one for each in column.checks for one in _compile(name, each) or ()),
            )
        ) + tuple(
            RowCheck(column=names[0], columns=names, rule="unique", nulls=True)
            for group in _groups(self._schema.unique)
            if (names := tuple(name for name in group if name in columns))
        )

    def left(self, frame: pl.DataFrame) -> tuple[Failing, ...]:
        """Run the checks that cannot be compiled as pandera runs them.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
            As ``parse`` returned it.

        Raises
        ------
        DataError
            A check on all rows together does not hold.
        ProjectError
            A function of the project's raises.
        """
        found = []
        for name, check in self._uncompiled(frame.columns):
            passes = self._run(frame, name, check)
            title = _title(name, check)
            failing = np.flatnonzero(~passes)
            if check.raise_warning:
                if len(failing):
                    _log.warning("%s: %s fails in %d rows", self._place, title, len(failing))
            elif len(failing):
                names = (name,) if name is not None else tuple(frame.columns)
                found.append(Failing(title, names, failing.astype(np.intp)))
        return tuple(found)

    def uncompiled(self, columns: Sequence[str]) -> list[str]:
        """Name the checks that are run by pandera itself."""
        return [_title(name, check) for name, check in self._uncompiled(columns)]

    def _uncompiled(self, columns: Sequence[str]) -> Iterator[tuple[str | None, Any]]:
        for name, column in self._columns(columns):
            yield from ((name, check) for check in column.checks if _compile(name, check) is None)
        yield from ((None, check) for check in self._schema.checks)

    def _columns(self, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Yield each column of a frame that the schema names; by a pattern only if by no name."""
        listed = {name for name, column in self._schema.columns.items() if not column.regex}
        for name, column in self._schema.columns.items():
            if not column.regex:
                if name in names:
                    yield name, column
                continue
            for found in names:
                if found not in listed and re.fullmatch(name, found):
                    yield found, column

    def _read(self, frame: pl.DataFrame) -> pl.DataFrame | Failing:
        """Return the frame as parsed, or rows of one column that cannot be coerced."""
        from pandera.errors import SchemaError, SchemaErrors

        try:
            parsed: pl.DataFrame = self._bare.validate(frame, lazy=True)
            return parsed
        except SchemaErrors as error:
            errors = error.schema_errors
        except SchemaError as error:
            errors = [error]
        for each in errors:
            output = each.check_output
            if isinstance(output, pl.DataFrame) and output.height == frame.height:
                passes = output[_OUTPUT].fill_null(value=False).to_numpy()
                # Its message names the column first, no attribute does.
                quoted = re.findall(r"'([^']*)'", str(each))
                name = next((n for n in quoted if n in frame.columns), frame.columns[0])
                return Failing(f"{name}: cannot be coerced", (name,), np.flatnonzero(~passes))
        raise DataError(
            f"{self._place}: {str(errors[0]).splitlines()[0]}",
            remedy="Let load return what the schema says, or mend the schema.",
            field=getattr(errors[0].schema, "name", None),
        )

    def _run(self, frame: pl.DataFrame, name: str | None, check: Any) -> NDArray[np.bool_]:
        """Return which rows pass a check, (n_rows,)."""
        try:
            result = check(frame.lazy(), *(() if name is None else (name,)))
            passed = bool(result.check_passed.collect().item())
            output = result.check_output.collect()[_OUTPUT]
        except Exception as error:
            raise ProjectError(
                f"{self._place}: the check {_title(name, check)} raises "
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                remedy="Mend the check: it is given pandera's data, with lazyframe and key.",
                field=name,
            ) from error
        if output.len() == frame.height and result.failure_cases is not None:
            fill = bool(check.ignore_na)
            passes: NDArray[np.bool_] = output.fill_null(value=fill).to_numpy()
            return passes
        if passed or check.raise_warning:
            return np.ones(frame.height, dtype=bool)
        raise DataError(
            f"{self._place}: the rows together fail {_title(name, check)}",
            remedy="See that the source is whole. If this is how the data are now, mend the check.",
            field=name,
        )


def _without_checks(schema: Any) -> Any:
    """Return a schema that sees to columns and types only, in the types that the door makes."""
    bare = copy.deepcopy(schema)
    bare.checks, bare.unique, bare.drop_invalid_rows = [], None, False
    for column in bare.columns.values():
        column.checks, column.nullable, column.unique = [], True, False
        column.drop_invalid_rows = False
        if column.dtype is not None and (behind := _behind_the_door(column.dtype.type)) is not None:
            column.dtype = behind
    return bare


def _behind_the_door(kind: Any) -> pl.DataType | type[pl.DataType] | None:
    """Return what ``to_frame`` makes of a type; None if it stays."""
    base = kind if isinstance(kind, type) else type(kind)
    if not issubclass(base, pl.DataType):
        return None
    if issubclass(base, pl.Date | pl.Datetime):
        return pl.Datetime("us", "UTC")
    if issubclass(base, pl.Categorical | pl.Enum):
        return pl.String
    if issubclass(base, pl.Decimal):
        return pl.Float64
    if base in (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Int128, pl.UInt128):
        return pl.Int64
    return pl.Float32 if base is pl.Float16 else None


def _null_and_unique(name: str, column: Any) -> Iterator[RowCheck]:
    if not column.nullable:
        yield RowCheck(column=name, rule="present")
    if column.unique:
        yield RowCheck(column=name, rule="unique", nulls=True)
    kind = None if column.dtype is None else column.dtype.type
    if isinstance(kind, pl.Enum):
        yield RowCheck(column=name, rule="in", value=tuple(kind.categories.to_list()))
    base = kind if isinstance(kind, type) or kind is None else type(kind)
    if base in (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.UInt128):
        yield RowCheck(column=name, rule="min", value=0)


def _compile(name: str, check: Any) -> list[RowCheck] | None:
    """Return a built-in check in our form; None if pandera must run it."""
    if check.name not in (*_ONE, "in_range", "str_length") or not _built_in(check):
        return None
    if check.element_wise or check.groupby is not None or check.raise_warning:
        return None
    given: Mapping[str, Any] = check.statistics or {}
    pairs = list(_RANGES[check.name](given)) if check.name in _RANGES else [_single(check, given)]
    if any(rule == "contains" and not compilable(value) for rule, value in pairs):
        return None
    if any(not _plain(value) for _, value in pairs):
        return None
    return [
        RowCheck(column=name, rule=rule, value=_value(value), nulls=not check.ignore_na)
        for rule, value in pairs
    ]


def _built_in(check: Any) -> bool:
    """Say whether a check's function is pandera's own, not a project's of the same name."""
    from pandera.api.function_dispatch import Dispatcher

    return isinstance(check._check_fn, Dispatcher) and bool(check.statistics)


def _single(check: Any, given: Mapping[str, Any]) -> tuple[Rule, Any]:
    key, rule = _ONE[check.name]
    value = given[key]
    if check.name.startswith("str_") and isinstance(value, re.Pattern):
        value = value.pattern
    if check.name == "str_matches" and not value.startswith("^"):
        value = f"^{value}"
    return rule, list(value) if check.name in ("isin", "notin") else value


def _range(given: Mapping[str, Any]) -> Iterator[tuple[Rule, Any]]:
    yield ("min" if given.get("include_min", True) else "above"), given["min_value"]
    yield ("max" if given.get("include_max", True) else "below"), given["max_value"]


def _lengths(given: Mapping[str, Any]) -> Iterator[tuple[Rule, Any]]:
    exact = given.get("exact_value")
    low, high = (
        (exact, exact) if exact is not None else (given.get("min_value"), given.get("max_value"))
    )
    if low is not None:
        yield "min_length", low
    if high is not None:
        yield "max_length", high


_RANGES: dict[str, Callable[[Mapping[str, Any]], Iterator[tuple[Rule, Any]]]] = {
    "in_range": _range,
    "str_length": _lengths,
}


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_plain(one) for one in value)
    return isinstance(value, str | int | float | date)


def _value(value: Any) -> Any:
    """Return a limit as the door has values: moments are in UTC, dates midnight."""
    if isinstance(value, list):
        return tuple(_value(one) for one in value)
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, date):
        return utc(datetime(value.year, value.month, value.day))
    return value


def _groups(unique: Any) -> list[list[str]]:
    if not unique:
        return []
    if isinstance(unique, str):
        return [[unique]]
    return (
        [list(unique)] if all(isinstance(name, str) for name in unique) else list(map(list, unique))
    )


def _title(name: str | None, check: Any) -> str:
    said = check.error or check.name or "a check"
    return f"{name}: fails {said}" if name is not None else f"fails {said}"
