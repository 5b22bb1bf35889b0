"""What a Delta table can hold: rows are cast where nothing is lost, and refused otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gleis.contracts.errors import DataError

ROW = "_row"
"""Hidden column with the position of each row, so that rows come back in the order they came."""

_WIDER: dict[type[pl.DataType], type[pl.DataType]] = {
    pl.UInt8: pl.Int16,
    pl.UInt16: pl.Int32,
    pl.UInt32: pl.Int64,
    pl.UInt64: pl.Int64,
    pl.Categorical: pl.String,
    pl.Enum: pl.String,
}
_PLAIN = (
    pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Float32, pl.Float64, pl.Boolean,
    pl.String, pl.Binary, pl.Date, pl.Datetime, pl.Decimal,
)  # fmt: skip


def storable(frame: pl.DataFrame) -> pl.DataFrame:
    """Cast what Delta Lake has no type for.

    Unsigned integers become the next wider signed ones, nanoseconds microseconds, and categoricals
    text.

    Raises
    ------
    DataError
        What has no lossless cast, or a column ``_row``.
    """
    if ROW in frame.columns:
        raise DataError(f"{ROW} is gleis's own column", seen=ROW, remedy="Rename it.", field=ROW)
    casts = []
    for name, kind in frame.schema.items():
        if wider := _WIDER.get(kind.base_type()):
            casts.append(pl.col(name).cast(wider))
        elif isinstance(kind, pl.Datetime) and kind.time_unit != "us":
            casts.append(pl.col(name).dt.cast_time_unit("us"))
        elif kind != pl.Null and kind.base_type() not in _PLAIN:
            raise DataError(
                f"Column {name} has a type that a table cannot hold",
                seen=str(kind),
                remedy="Turn it into numbers, text, booleans or times.",
                field=name,
            )
    try:
        return frame.with_columns(casts)
    except pl.exceptions.InvalidOperationError as error:
        raise DataError(f"A column is too large for 64 signed bits: {error}") from error


def check_typed(frame: pl.DataFrame) -> None:
    """Refuse columns without any value: what type they have is not known."""
    untyped = [name for name, kind in frame.schema.items() if kind == pl.Null]
    if untyped:
        raise DataError(
            "Columns without a value have no type",
            seen=", ".join(untyped),
            remedy="Leave them out, or cast them to a type.",
            field=untyped[0],
        )


def like(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Order columns as in a table; refuse others."""
    missing = [name for name in schema.names() if name not in frame.columns]
    extra = [name for name in frame.columns if name not in schema]
    changed = [
        f"{name}: {schema[name]} -> {kind}"
        for name, kind in frame.schema.items()
        if name in schema and kind not in (schema[name], pl.Null)
    ]
    if missing or extra or changed:
        parts = {"missing": missing, "new": extra, "changed type": changed}
        raise DataError(
            "The rows do not fit the table",
            seen="; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names),
            remedy="Make load return the columns it returned before, or start another dataset.",
            field=(missing + extra + [text.split(":")[0] for text in changed])[0],
        )
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items())


def check_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse columns that a table does not have."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DataError(
            "The table has no such column",
            seen=", ".join(unknown),
            remedy=f"It has {', '.join(known)}.",
            field=unknown[0],
        )
