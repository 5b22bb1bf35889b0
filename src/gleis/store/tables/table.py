"""Dataset tables: Delta Lake, where an append writes only the new rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import deltalake
import polars as pl
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from gleis.contracts.errors import RacedError, StoreError
from gleis.store.local_files import find_damaged, sync_commit
from gleis.store.objects.claim import Claim, unclaimed
from gleis.store.objects.s3_failures import final_failure
from gleis.store.objects.s3_options import is_s3
from gleis.store.tables.column_types import ROW, check_names, check_typed, like, storable
from gleis.store.tables.files import TableFile, files_of
from gleis.store.tables.scanned import scan_table
from gleis.store.tables.unneeded import Unneeded, sweep

__all__ = ["ROW", "DeltaTable", "Swept"]

_FOREVER = "interval 36500 days"
PROPERTIES = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": _FOREVER,
    "delta.deletedFileRetentionDuration": _FOREVER,
}
"""No tool may forget a version by its age: a model may have been trained on it."""

_GROUP = 250_000
"""Rows of a row group: what is read at a time from a file that is read in parts."""
WRITING = deltalake.WriterProperties(
    compression="ZSTD",
    max_row_group_size=_GROUP,
    # What has many different values is tried as a dictionary first: of numbers that cost a tenth.
    dictionary_page_size_limit=262_144,
    column_properties={
        ROW: deltalake.ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")
    },
)
"""How files are written: positions that count up take no room."""
_PART_BYTES = 32_000_000
"""Compressed bytes that a part holds, about."""


class Swept(NamedTuple):
    """Files that no version needs."""

    files: tuple[Unneeded, ...]

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(file.size for file in self.files)


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
    claim : callable, optional
        Asked before something is written or deleted: it refuses what is another ledger's.
    """

    def __init__(
        self,
        location: Path | str,
        options: Mapping[str, str] | None = None,
        claim: Claim = unclaimed,
    ) -> None:
        self.location = str(location)
        self.claim = claim
        self.options = dict(options) if options else None

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
        frame = storable(frame)
        if table is None:
            check_typed(frame)
            return self._write(frame, self.location, 0)
        frame = like(frame, _schema(table))
        files = _whole(table, self.location)
        return self._write(frame, table, self._end(table, files))

    def replace(self, frame: pl.DataFrame) -> int:
        """Write a version that holds only these rows, in any schema; earlier versions stay.

        Raises
        ------
        DataError, StoreError
            As for ``append``.
        """
        frame = storable(frame)
        check_typed(frame)
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
        _whole(table, self.location)
        rows = self._collect(_lazy(table).select([*_names(table, columns), ROW]))
        if not rows[ROW].is_sorted():
            rows = rows.sort(ROW)
        return rows.drop(ROW)

    def parts(
        self,
        version: int | None = None,
        columns: Sequence[str] | None = None,
        rows: int | None = None,
    ) -> Iterator[pl.DataFrame]:
        """Return the rows of a version in their order, some at a time: memory stays constant.

        Parameters
        ----------
        version : int, optional
            By default the newest.
        columns : sequence of str, optional
            By default all.
        rows : int, optional
            Positions a part spans; by default so many as take about 32 MB compressed.

        Raises
        ------
        DataError, StoreError
            As for ``read``.
        """
        table = self._existing(version)
        names = _names(table, columns)
        files = _whole(table, self.location)
        step = rows or _step(files)
        for first in range(0, self._end(table, files), step):
            within = pl.col(ROW).is_between(first, first + step - 1)
            part = self._collect(_lazy(table).filter(within).select([*names, ROW]))
            if part.height:
                yield part.sort(ROW).drop(ROW)

    def scan(self, version: int | None = None) -> pl.LazyFrame:
        """Return the rows of a version, read when they are needed; their order is not promised.

        Raises
        ------
        StoreError
            No table, or no such version.
        """
        table = self._existing(version)
        _whole(table, self.location)
        return _lazy(table).drop(ROW)

    def within(self, version: int, first: int | None, last: int | None, column: str) -> pl.Series:
        """Return the values of a column in the rows at positions ``first`` to ``last``, unordered.

        Raises
        ------
        StoreError
            No such version, or a file of it is missing or damaged.
        """
        table = self._existing(version)
        _whole(table, self.location)
        rows = _lazy(table)
        if first is not None and last is not None:
            rows = rows.filter(pl.col(ROW).is_between(first, last))
        return self._collect(rows.select(column))[column]

    def restore(self, version: int) -> int:
        """Make the newest version equal an earlier one, copying no rows; return its new number.

        Raises
        ------
        StoreError
            No table, no such version, or a file of it is missing.
        """
        self.claim()
        table = self._existing(None)
        if table.version() == version:
            return version
        _whole(self._existing(version), self.location)
        try:
            table.restore(version)
            made = int(self._existing(None).version())
            sync_commit(self.location, made)
        except CommitFailedError as error:
            raise _raced(self.location) from error
        except (DeltaError, OSError) as error:
            raise self._failure(error) from error
        return made

    def sweep(
        self,
        keep: Sequence[int],
        *,
        newest: int | None = None,
        hours: int = 0,
        dry_run: bool = False,
    ) -> Swept:
        """Delete files that neither the newest version nor one of ``keep`` needs.

        Nobody may write at the same time, or ``hours`` must be longer than any write takes: a file
        whose commit is still to come looks as one that nobody needs.

        Parameters
        ----------
        keep : sequence of int
            Table versions that stay readable.
        newest : int, optional
            A version to restore first.
        hours : int
            Files younger than this, or needed until later than this, stay.
        dry_run : bool
            Change nothing; only say what would be deleted.

        Raises
        ------
        StoreError
            No table, no such version, or the folder fails.
        """
        if not dry_run:
            self.claim(again=True)
        if newest is not None and not dry_run:
            self.restore(newest)
        table = self._existing(newest if dry_run else None)
        try:
            return Swept(sweep(table, self.location, keep, hours=hours, dry_run=dry_run))
        except (DeltaError, OSError) as error:
            raise self._failure(error) from error

    def schema(self, version: int | None = None) -> pl.Schema:
        """Return names and types of the columns; StoreError if there is no such version."""
        return _schema(self._existing(version))

    def rows(self, version: int | None = None) -> int:
        """Return the number of rows, from the table's log; StoreError if no such version."""
        return int(self._existing(version).count())

    def files(self, version: int | None = None, column: str | None = None) -> list[TableFile]:
        """Return the files of a version, with the bounds of a column; StoreError if none such."""
        return files_of(self._existing(version), column)

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
                self.location, version=version, storage_options=self.options
            )
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            raise self._failure(error) from error

    def _existing(self, version: int | None) -> deltalake.DeltaTable:
        table = self._open(version)
        if table is None:
            raise StoreError(
                "There is no table here",
                seen=self.location,
                remedy="Append first. If the setting store was changed since it was made, bring "
                "it there: GLEIS_STORE= gleis push --to URL.",
            )
        return table

    def _write(
        self,
        frame: pl.DataFrame,
        target: deltalake.DeltaTable | str,
        first: int,
        *,
        replace: bool = False,
    ) -> int:
        self.claim()
        numbered = frame.with_columns(pl.int_range(first, first + frame.height).alias(ROW))
        new = isinstance(target, str)
        mode: Literal["error", "append", "overwrite"] = (
            "overwrite" if replace else "error" if new else "append"
        )
        try:
            if not isinstance(target, str):
                _keep_history(target)
            deltalake.write_deltalake(
                target,
                numbered,
                mode=mode,
                schema_mode="overwrite" if replace else None,
                configuration=PROPERTIES if new else None,
                storage_options=self.options if new else None,
                writer_properties=WRITING,
                # A retry would number our rows as if the other writer's were not there.
                commit_properties=deltalake.CommitProperties(max_commit_retries=0),
            )
            made = self._existing(None) if isinstance(target, str) else target
            sync_commit(self.location, made.version())
        except CommitFailedError as error:
            raise _raced(self.location) from error
        except (DeltaError, OSError) as error:
            raise self._failure(error) from error
        return int(made.version())

    def _end(self, table: deltalake.DeltaTable, files: Sequence[TableFile]) -> int:
        """Return the first position behind all rows: rows may have been deleted in between."""
        lasts = [file.last for file in files if file.rows]
        if None not in lasts:
            return max((last for last in lasts if last is not None), default=-1) + 1
        found = self._collect(_lazy(table).select(pl.col(ROW).max())).item()
        return 0 if found is None else found + 1

    def _collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        try:
            return rows.collect()
        except (DeltaError, OSError, pl.exceptions.PolarsError) as error:
            raise self._failure(error) from error
        except pl.exceptions.PanicException as error:
            # Polars gives up like this on bytes that are no Parquet; it is no Exception.
            raise self._failure(ValueError(str(error))) from error

    def _failure(self, error: Exception) -> StoreError:
        if is_s3(self.location):
            return final_failure(error, self.location)
        text = str(error).partition("\n")[0]
        remedy = (
            "Check that the folder is there and writable. If files were lost or cut: gleis data "
        )
        remedy += "verify tells which, and --repair mends what can be mended."
        if any(words in text for words in ("No space left", "File too large", "quota exceeded")):
            remedy = "Make room and run it again; what was there before is as it was."
        return StoreError(f"The table {self.location} fails: {text}", remedy=remedy)


def _whole(table: deltalake.DeltaTable, location: str) -> list[TableFile]:
    """Return the files of a version, and see that none is missing or cut."""
    files = files_of(table)
    if damage := find_damaged(location, files):
        raise StoreError(
            f"The table {location} is damaged: {damage}",
            remedy="Bring the file back from a copy or the remote (gleis data verify --repair), or "
            "go back to a version that is whole: gleis data restore.",
        )
    return files


def _keep_history(table: deltalake.DeltaTable) -> None:
    """Give a table that was made by an earlier release, or elsewhere, our properties."""
    there = table.metadata().configuration
    if any(there.get(name) != value for name, value in PROPERTIES.items()):
        table.alter.set_table_properties(PROPERTIES)


def _raced(location: str) -> RacedError:
    return RacedError(
        f"Another process wrote to {location} meanwhile; nothing was written",
        remedy="Run it again.",
    )


def _schema(table: deltalake.DeltaTable) -> pl.Schema:
    schema = _lazy(table).collect_schema()
    return pl.Schema({name: kind for name, kind in schema.items() if name != ROW})


def _names(table: deltalake.DeltaTable, columns: Sequence[str] | None) -> list[str]:
    known = _schema(table).names()
    names = known if columns is None else list(columns)
    check_names(names, known)
    return names


def _lazy(table: deltalake.DeltaTable) -> pl.LazyFrame:
    if "%" not in table.table_uri:
        return scan_table(table)
    # Delta Lake names the files of a folder with a blank in its path percent-encoded, and polars
    # takes the name for the path.
    return pl.scan_pyarrow_dataset(table.to_pyarrow_dataset())


def _step(files: Sequence[TableFile]) -> int:
    """Return how many rows take about ``_PART_BYTES``, in whole row groups where they are small."""
    rows = sum(file.rows for file in files)
    size = sum(file.size for file in files)
    fitting = _PART_BYTES * max(rows, 1) // max(size, 1)
    return max(1000, fitting) if fitting < _GROUP else min(4, fitting // _GROUP) * _GROUP
