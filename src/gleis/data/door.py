"""The door: whatever table comes in, one kind of table goes on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import narwhals as nw
import polars as pl

from gleis.contracts.errors import DataError, ProjectError
from gleis.data.sources.moments import check_zones
from gleis.data.sql_rows import is_query, is_statement, read_query

_UTC = pl.Datetime("us", "UTC")
_UNSIGNED = (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Int128, pl.UInt128)


def to_frame(table: object) -> pl.DataFrame:
    """Turn a table into a polars DataFrame with few column types.

    Columns that already fit are passed on without a copy. A pandas index is ignored. Types
    become: text of any kind (categorical, enum) String; decimals Float64, those without a fraction
    Int64; unsigned and 128-bit integers Int64; dates and times Datetime in microseconds and UTC
    (naive ones are taken to be UTC, dates midnight); NaN null, so that there is one missing value.

    Parameters
    ----------
    table : DataFrame-like, (n_rows, n_columns)
        polars DataFrame or LazyFrame, pandas DataFrame, pyarrow Table, RecordBatch,
        RecordBatchReader or Dataset, DuckDB relation, a SQLAlchemy query with its engine (``query,
        engine``; text or a statement) or its result, whatever has ``__arrow_c_stream__``, or
        whatever else narwhals knows.

    Raises
    ------
    ProjectError
        If it is not a table.
    DataError
        If column names repeat or are not text, if a column mixes types, or times with and without
        a zone, or if an integer does not fit into 64 bits.

    Examples
    --------
    >>> frame = to_frame(pl.DataFrame({"x": [1.0, float("nan")]}))
    >>> frame["x"].to_list()
    [1.0, None]
    """
    return _settle(_read(table))


def _read(table: Any) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if isinstance(table, pl.Series):
        raise _not_a_table(table)
    if is_query(table):
        return read_query(table)
    if type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns"):
        return _from_pandas(table)
    if hasattr(table, "scanner") and hasattr(table, "schema"):  # a pyarrow Dataset
        table = table.scanner().to_reader()
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return _from_arrow(table)
    try:
        known: Any = nw.from_native(table)
    except TypeError:
        raise _not_a_table(table) from None
    if isinstance(known, nw.LazyFrame):
        known = known.collect(backend="polars")
    frame = known.to_polars()
    return frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)


def _from_arrow(table: Any) -> pl.DataFrame:
    """Take over a table, or a stream of its batches, without a copy where polars has the type."""
    names = getattr(table, "column_names", None) or getattr(table, "columns", None)
    schema = getattr(table, "schema", None)
    if names is None and schema is not None and hasattr(schema, "names"):
        names = schema.names
    if names is not None and all(isinstance(name, str) for name in names):
        _check_names(names)
    try:
        return pl.DataFrame(table)
    except pl.exceptions.DuplicateError as error:
        raise DataError(
            f"Column names repeat: {error}",
            remedy="Rename or drop the repeated columns in load.",
            field="load",
        ) from error
    except (TypeError, ValueError, pl.exceptions.SchemaError) as error:
        raise _not_a_table(table) from error  # such as a single column


def _not_a_table(table: object) -> ProjectError:
    if is_statement(table):
        return ProjectError(
            "load returned a query without the database to ask",
            seen=str(table),
            remedy="Return it with its engine: return query, engine.",
            field="load",
        )
    kind = type(table)
    name = kind.__qualname__ if kind.__module__ == "builtins" else _full_name(kind)
    hint = " Did it forget its return?" if table is None else ""
    return ProjectError(
        "load must return a table",
        seen=name,
        remedy="Return a polars or pandas DataFrame, a pyarrow Table, a DuckDB relation, or a "
        f"SQLAlchemy query with its engine.{hint}",
        field="load",
    )


def _full_name(kind: type) -> str:
    return f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"


def _check_names(names: Any) -> None:
    names = list(names)
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise DataError(
            "A column name is not text",
            seen=odd[0],
            remedy="Rename it in load: frame.columns = [str(name) for name in frame.columns].",
            field=str(odd[0]),
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            "Column names repeat",
            seen=twice,
            remedy="Rename or drop the repeated columns in load.",
            field=twice[0],
        )


def _from_pandas(table: Any) -> pl.DataFrame:
    _check_names(table.columns)
    table = _in_naive_utc(table)
    try:
        frame = pl.from_pandas(table)
    except (ValueError, TypeError, OverflowError, pl.exceptions.PolarsError):
        for name in table.columns:
            _try_column(table, name)
        raise
    for name, kind in frame.schema.items():
        if isinstance(kind, pl.Datetime) and table[name].dtype == object:
            # Each value has a zone of its own, or none; pyarrow takes the naive ones for UTC.
            moments = [value for value in table[name] if isinstance(value, datetime)]
            check_zones(name, moments)
    return frame


def _in_naive_utc(table: Any) -> Any:
    """Turn moments with a zone into UTC without one: of others pyarrow asks what pandas gives up.

    They are given the zone back where all columns are settled.
    """
    zoned = [name for name in table.columns if getattr(table[name].dtype, "tz", None) is not None]
    if zoned:
        table = table.copy(deep=False)
        for name in zoned:
            table[name] = table[name].dt.tz_convert(None)
    return table


def _try_column(table: Any, name: str) -> None:
    try:
        pl.from_pandas(table[[name]])
    except OverflowError as error:
        values = [value for value in table[name] if isinstance(value, int)]
        raise _too_large(name, max(values, key=abs, default=None)) from error
    except (ValueError, TypeError, pl.exceptions.PolarsError) as error:
        kinds = sorted({type(value).__name__ for value in table[name].dropna()})
        raise DataError(
            f"Column {name} mixes types: {error}",
            seen=kinds,
            remedy=f"Make it one type in load, such as frame[{name!r}].astype(str).",
            field=name,
        ) from error


def _settle(frame: pl.DataFrame) -> pl.DataFrame:
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    with_nan = frame.select(pl.col(floats).is_nan().any()).row(0) if floats and frame.height else ()
    nan = {name for name, found in zip(floats, with_nan, strict=False) if found}
    changes = []
    for name, kind in frame.schema.items():
        change = _change(pl.col(name), kind, name in nan)
        if change is not None:
            changes.append(change)
    try:
        return frame.with_columns(changes) if changes else frame
    except pl.exceptions.InvalidOperationError as error:
        for name, kind in frame.schema.items():
            if kind in _UNSIGNED or (isinstance(kind, pl.Decimal) and not kind.scale):
                values = frame[name]
                odd = values.filter(values.cast(pl.Int64, strict=False).is_null())
                if odd.drop_nulls().len():
                    raise _too_large(name, odd.drop_nulls()[0]) from error
        raise DataError(
            f"A column cannot be settled: {error}", remedy="Cast it in load.", field="load"
        ) from error


def _too_large(name: str, value: object) -> DataError:
    return DataError(
        f"Column {name} holds an integer that does not fit into 64 bits",
        seen=int(value) if isinstance(value, Decimal) else value,
        remedy="Cast the column to text or float in load.",
        field=name,
    )


def _change(column: pl.Expr, kind: pl.DataType, has_nan: bool) -> pl.Expr | None:
    """Return the expression that settles a column; None if it may stay as it is."""
    if isinstance(kind, pl.Datetime):
        return _in_utc(column, kind) if kind != _UTC else None
    if kind == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(kind, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(kind, pl.Decimal):
        # Databases count in decimals without a fraction: sum() of DuckDB, NUMBER(38) of Oracle.
        return column.cast(pl.Float64 if kind.scale else pl.Int64)
    if kind in _UNSIGNED:
        return column.cast(pl.Int64)
    if kind == pl.Float16:
        column = column.cast(pl.Float32)
        return column.fill_nan(None) if has_nan else column
    return column.fill_nan(None) if has_nan else None


def _in_utc(column: pl.Expr, kind: pl.Datetime) -> pl.Expr:
    moments = column.dt.cast_time_unit("us")
    if kind.time_zone is None:
        return moments.dt.replace_time_zone("UTC")
    return moments.dt.convert_time_zone("UTC")
