"""Rows of a database: a SQLAlchemy query, read in parts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl

from gleis.contracts.errors import DataError, ProjectError
from gleis.data.sources.moments import check_zones

_PART = 50_000
"""Rows fetched at a time: more are not in memory as Python objects."""


def is_query(table: object) -> bool:
    """Say whether ``load`` returned a query and its engine, or the result of one.

    Without importing SQLAlchemy: who returns its objects has imported it.
    """
    return is_result(table) or (isinstance(table, tuple) and query_and_engine(table) is not None)


def is_result(table: object) -> bool:
    """Say whether it is a result of SQLAlchemy, whose connection is still open."""
    sql = sys.modules.get("sqlalchemy")
    return sql is not None and isinstance(table, sql.Result)


def is_statement(table: object) -> bool:
    """Say whether it is a statement without an engine, which nothing can carry out."""
    sql = sys.modules.get("sqlalchemy")
    return sql is not None and isinstance(table, sql.sql.ClauseElement)


def read_query(table: Any) -> pl.DataFrame:
    """Read what ``load`` returned: ``(query, engine)``, in either order, or a result.

    The rows are fetched 50,000 at a time, by a cursor of the server where the database has one, so
    beside the frame only so many are in memory.

    Parameters
    ----------
    table : tuple or Result
        The query is text or a statement; the engine may be a connection too.

    Raises
    ------
    ProjectError
        The database refuses the query.
    DataError
        Names of columns repeat, or a column mixes types.
    """
    import sqlalchemy  # loaded already: it made the table

    try:
        if is_result(table):
            return _collect(table)
        found = query_and_engine(table)
        assert found is not None, "is_query was asked before"
        query, source = found
        if isinstance(source, sqlalchemy.Engine):
            with source.connect() as connection:
                return _collect(_execute(connection, query))
        return _collect(_execute(source, query))
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise ProjectError(
            f"The query that load returned fails: {getattr(error, 'orig', None) or error}",
            remedy="Try it in the database; return a result while its connection is open.",
            field="load",
        ) from error


def query_and_engine(table: tuple[Any, ...]) -> tuple[Any, Any] | None:
    """Return query and engine, or connection, in this order; None if these are not the two."""
    sql = sys.modules.get("sqlalchemy")
    if sql is None or len(table) != 2:
        return None
    for query, source in (table, table[::-1]):
        if isinstance(source, sql.Engine | sql.Connection) and (
            isinstance(query, str | sql.sql.ClauseElement)
        ):
            return query, source
    return None


def _execute(connection: Any, query: Any) -> Any:
    import sqlalchemy

    statement = sqlalchemy.text(query) if isinstance(query, str) else query
    streaming = connection.execution_options(stream_results=True, max_row_buffer=_PART)
    return streaming.execute(statement)


def _collect(result: Any) -> pl.DataFrame:
    names = list(result.keys())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            "Column names repeat",
            seen=twice,
            remedy="Give them names of their own in the query: SELECT a.id, b.id AS other_id.",
            field=twice[0],
        )
    parts = [_part(names, rows) for rows in result.partitions(_PART)]
    if not parts:
        return pl.DataFrame({name: [] for name in names}, schema=dict.fromkeys(names, pl.Null))
    try:
        return pl.concat(parts, how="vertical_relaxed") if len(parts) > 1 else parts[0]
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"A column of the query mixes types: {error}",
            remedy="Cast it in the query.",
            field="load",
        ) from error


def _part(names: Sequence[str], rows: Sequence[Any]) -> pl.DataFrame:
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [_column(name, list(values)) for name, values in zip(names, columns, strict=True)]
    )


def _column(name: str, values: list[Any]) -> pl.Series:
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {UUID}:
        return pl.Series(name, [None if value is None else str(value) for value in values])
    if len(kinds) > 1 and kinds <= {int, float, Decimal, bool} and bool not in kinds:
        return pl.Series(name, [None if value is None else float(value) for value in values])
    if len(kinds) > 1:
        raise DataError(
            f"Column {name} mixes types",
            seen=sorted(kind.__name__ for kind in kinds),
            remedy="Cast it in the query.",
            field=name,
        )
    if kinds == {datetime}:
        check_zones(name, _present(values))
    try:
        return pl.Series(name, values, pl.Int64 if kinds == {int} else None)
    except (OverflowError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        odd = next((v for v in _present(values) if kinds == {int} and abs(v) >= 1 << 63), ...)
        raise DataError(
            f"Column {name} cannot be taken: {error}",
            seen=odd,
            remedy="Cast it in the query, a number beyond 64 bits to text.",
            field=name,
        ) from error


def _present(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]
