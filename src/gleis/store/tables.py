"""Dataset tables: Delta Lake, where an append writes only the new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import deltalake
import polars as pl
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from gleis.contracts.errors import DataError, RacedError, StoreError
from gleis.store.s3_failures import final_failure
from gleis.store.s3_options import is_s3
from gleis.store.scanned import scan_table

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


class DeltaTable:
    """A table that grows by appends and keeps every version.

    Delta Lake promises no row order; a hidden column ``_row`` keeps ours. Readers other than gleis
    (Spark, DuckDB) see it.

    Parameters
    ----------
    location : Path or str
        Folder or URL. Nothing is made before the first append.
    options : mapping of str to str, optional
        How a URL is reached, by the names of Delta Lake; see ``delta_options``.
    """

    def __init__(self, location: Path | str, options: Mapping[str, str] | None = None) -> None:
        self.location = str(location)
        self._options = dict(options) if options else None

    def append(self, frame: pl.DataFrame) -> int:
        """Write rows behind those already there.

        Unsigned integers become the next wider signed ones, nanoseconds microseconds, and
        categoricals text, because Delta Lake has no such types; the columns' order is the first
        append's.

        Parameters
        ----------
        frame : DataFrame
            (n_rows, n_columns); missing values are null.

        Returns
        -------
        int
            The table version that holds exactly these rows after all earlier ones.

        Raises
        ------
        DataError
            Columns or types differ from the table's, or a type that it cannot hold.
        StoreError
            Another process appended meanwhile; nothing was written. Or the folder fails.
        """
        table = self._open()
        frame = _storable(frame)
        if table is None:
            _check_typed(frame)
            return self._write(frame, self.location, 0)
        frame = _like(frame, _schema(table))
        return self._write(frame, table, _rows(table))

    def replace(self, frame: pl.DataFrame) -> int:
        """Write a version that holds only these rows, in any schema; earlier versions stay.

        Raises
        ------
        DataError, StoreError
            As for ``append``.
        """
        frame = _storable(frame)
        _check_typed(frame)
        return self._write(frame, self._open() or self.location, 0, replace=True)

    def read(
        self, version: int | None = None, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Return the rows of a version (the newest by default) in the order they were appended.

        Raises
        ------
        DataError
            If ``columns`` names one that the table does not have.
        StoreError
            No table, no such version, or a file of it is missing or damaged.
        """
        table = self._existing(version)
        names = _schema(table).names() if columns is None else list(columns)
        _check_names(names, _schema(table).names())
        try:
            rows = _collect(table, [*names, ROW])
        except (DeltaError, OSError, pl.exceptions.PolarsError) as error:
            raise self._failure(error) from error
        if not rows[ROW].is_sorted():
            rows = rows.sort(ROW)
        return rows.drop(ROW)

    def scan(self, version: int | None = None) -> pl.LazyFrame:
        """Return the rows of a version, read when they are needed; their order is not promised.

        Raises
        ------
        StoreError
            No table, or no such version.
        """
        table = self._existing(version)
        if "%" in table.table_uri:
            return self.read(version).lazy()
        return scan_table(table).drop(ROW)

    def restore(self, version: int) -> int:
        """Make the newest version equal an earlier one; return its new number.

        Raises
        ------
        StoreError
            No table, or no such version.
        """
        table = self._existing(None)
        if table.version() == version:
            return version
        self._existing(version)
        try:
            table.restore(version)
        except (DeltaError, OSError) as error:
            raise self._failure(error) from error
        return int(self._existing(None).version())

    def schema(self, version: int | None = None) -> pl.Schema:
        """Return names and types of the columns; StoreError if there is no such version."""
        return _schema(self._existing(version))

    def rows(self, version: int | None = None) -> int:
        """Return the number of rows, from the table's log; StoreError if no such version."""
        return _rows(self._existing(version))

    def version(self) -> int | None:
        """Return the newest version; None if there is no table."""
        table = self._open()
        return None if table is None else int(table.version())

    def versions(self) -> list[int]:
        """Return all versions, oldest first; empty if there is no table."""
        table = self._open()
        return [] if table is None else sorted(int(v["version"]) for v in table.history())

    def _open(self, version: int | None = None) -> deltalake.DeltaTable | None:
        try:
            return deltalake.DeltaTable(
                self.location, version=version, storage_options=self._options
            )
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            raise self._failure(error) from error

    def _existing(self, version: int | None) -> deltalake.DeltaTable:
        table = self._open(version)
        if table is None:
            raise StoreError("There is no table here", seen=self.location, remedy="Append first.")
        return table

    def _write(
        self,
        frame: pl.DataFrame,
        target: deltalake.DeltaTable | str,
        first: int,
        *,
        replace: bool = False,
    ) -> int:
        numbered = frame.with_columns(pl.int_range(first, first + frame.height).alias(ROW))
        new = isinstance(target, str)
        mode: Literal["error", "append", "overwrite"] = (
            "overwrite" if replace else "error" if new else "append"
        )
        try:
            deltalake.write_deltalake(
                target,
                numbered,
                mode=mode,
                schema_mode="overwrite" if replace else None,
                storage_options=self._options if new else None,
                writer_properties=deltalake.WriterProperties(compression="ZSTD"),
                # A retry would number our rows as if the other writer's were not there.
                commit_properties=deltalake.CommitProperties(max_commit_retries=0),
            )
        except CommitFailedError as error:
            raise RacedError(
                f"Another process wrote to {self.location} meanwhile; nothing was written",
                remedy="Run it again.",
            ) from error
        except (DeltaError, OSError) as error:
            raise self._failure(error) from error
        return int(self._existing(None).version() if isinstance(target, str) else target.version())

    def _failure(self, error: Exception) -> StoreError:
        if is_s3(self.location):
            return final_failure(error, self.location)
        return StoreError(
            f"The table {self.location} fails: {error}",
            remedy="Check that the folder is there, writable and complete.",
        )


def _schema(table: deltalake.DeltaTable) -> pl.Schema:
    schema = scan_table(table).collect_schema()
    return pl.Schema({name: kind for name, kind in schema.items() if name != ROW})


def _rows(table: deltalake.DeltaTable) -> int:
    return int(table.count())


def _storable(frame: pl.DataFrame) -> pl.DataFrame:
    """Cast what Delta Lake has no type for; refuse what has no lossless cast."""
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


def _check_typed(frame: pl.DataFrame) -> None:
    untyped = [name for name, kind in frame.schema.items() if kind == pl.Null]
    if untyped:
        raise DataError(
            "Columns without a value have no type",
            seen=", ".join(untyped),
            remedy="Leave them out, or cast them to a type.",
            field=untyped[0],
        )


def _like(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Order columns as in the table; refuse others."""
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


def _collect(table: deltalake.DeltaTable, names: list[str]) -> pl.DataFrame:
    if "%" not in table.table_uri:
        return scan_table(table).select(names).collect()
    # Delta Lake names the files of a folder with a blank in its path percent-encoded, and polars
    # takes the name for the path.
    rows = pl.from_arrow(table.to_pyarrow_table(columns=names))
    return rows if isinstance(rows, pl.DataFrame) else rows.to_frame()


def _check_names(names: Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DataError(
            "The table has no such column",
            seen=", ".join(unknown),
            remedy=f"It has {', '.join(known)}.",
            field=unknown[0],
        )
