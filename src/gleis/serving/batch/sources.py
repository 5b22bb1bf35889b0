"""Tables on disk, read as a stream of parts of one size, from any row on.

pyarrow is imported here, in ``text_columns.py`` and in ``scoring.py``, by what reads or writes
files; answering requests needs none of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from gleis.contracts.errors import DataError

_BLOCK = 8 << 20
"""Bytes of a CSV file that are parsed at once."""
_STEP = 65_536
"""Rows decoded at once."""
_HIDDEN = "_row"
"""Column in which a dataset's table keeps the order of its rows."""


class Source(Protocol):
    """A table that is read piece by piece."""

    schema: pa.Schema
    rows: int | None
    """None if nobody knows before the end."""
    textual: bool
    """True if every value is text, as in CSV."""
    fingerprint: str
    """SHA-256 (hex) that another content does not have: sizes, times and footers of the files."""

    def read(self, columns: Sequence[str], coded: Sequence[str], skip: int) -> Iterator[Any]:
        """Return the rows behind the first ``skip`` as record batches, in order.

        Parameters
        ----------
        columns : sequence of str
            Only these.
        coded : sequence of str
            Text columns that may come with a dictionary.
        skip : int
        """
        ...


def open_source(path: Path) -> Source:
    """Open a parquet, CSV or Arrow file, a folder of parquet files, or a Delta table.

    Raises
    ------
    DataError
        It is none of them, or cannot be read.
    """
    if not path.exists():
        raise DataError("There is no such file or folder", seen=str(path))
    try:
        if (path / "_delta_log").is_dir():
            return DeltaSource(path)
        if path.is_dir():
            return ParquetSource(sorted(path.rglob("*.parquet")), path)
        if path.suffix == ".csv":
            return CsvSource(path)
        if path.suffix in (".arrow", ".ipc", ".feather"):
            return ArrowSource(path)
        return ParquetSource([path], path.parent)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read: {error}",
            remedy="Give a parquet, CSV or Arrow file, a folder of parquet files or a Delta table.",
        ) from error


def in_parts(batches: Iterable[Any], size: int) -> Iterator[pa.Table]:
    """Cut a stream of record batches into tables of ``size`` rows; the last may be shorter.

    Raises
    ------
    DataError
        The stream cannot be read on.
    """
    waiting: list[Any] = []
    rows = 0
    try:
        for batch in batches:
            left = batch
            while rows + left.num_rows >= size:
                taken = size - rows
                yield pa.Table.from_batches([*waiting, left.slice(0, taken)])
                left, waiting, rows = left.slice(taken), [], 0
            if left.num_rows:
                waiting.append(left)
                rows += left.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"The input cannot be read on: {error}") from error
    if waiting:
        yield pa.Table.from_batches(waiting)


class ParquetSource:
    """Parquet files, one behind the other.

    Parameters
    ----------
    paths : sequence of Path
        At least one; all of one schema.
    folder : Path
        Where they are; their names within it are part of the fingerprint.
    """

    textual = False

    def __init__(self, paths: Sequence[Path], folder: Path) -> None:
        if not paths:
            raise DataError("The folder holds no parquet file", seen=str(folder))
        self._paths = paths
        self._metadata = [pq.read_metadata(path) for path in paths]
        schemas = [pq.read_schema(path).remove_metadata() for path in paths]
        self.schema = schemas[0]
        for path, schema in zip(paths, schemas, strict=True):
            if not schema.equals(self.schema):
                raise DataError(
                    f"{path.name} has other columns than {paths[0].name}",
                    seen=sorted(set(map(str, schema)) ^ set(map(str, self.schema))),
                    remedy="Score them one by one.",
                )
        self.rows: int | None = sum(metadata.num_rows for metadata in self._metadata)
        self.fingerprint = _fingerprint(paths, folder, _footer)

    def read(self, columns: Sequence[str], coded: Sequence[str], skip: int) -> Iterator[Any]:
        """Return the rows behind the first ``skip``; see ``Source``."""
        for path, metadata in zip(self._paths, self._metadata, strict=True):
            if skip >= metadata.num_rows:
                skip -= metadata.num_rows
                continue
            yield from self._read_file(path, columns, coded, skip)
            skip = 0

    def _read_file(
        self, path: Path, columns: Sequence[str], coded: Sequence[str], skip: int
    ) -> Iterator[Any]:
        # Not pre-buffered: that would hold whole row groups in memory.
        with pq.ParquetFile(path, read_dictionary=list(coded), pre_buffer=False) as file:
            groups = list(range(file.num_row_groups))
            while groups and skip >= (rows := file.metadata.row_group(groups[0]).num_rows):
                skip -= rows
                groups.pop(0)
            batches = file.iter_batches(
                _STEP, row_groups=groups, columns=list(columns), use_threads=False
            )
            yield from _behind(batches, skip)


class CsvSource:
    """A CSV file with a header; every value stays text until a feature's kind is known.

    Parameters
    ----------
    path : Path
    """

    textual = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: int | None = None
        with self._open(None) as reader:
            self.schema = pa.schema([(name, pa.string()) for name in reader.schema.names])
        self.fingerprint = _fingerprint([path], path.parent, _ends)

    def read(self, columns: Sequence[str], coded: Sequence[str], skip: int) -> Iterator[Any]:
        """Return the rows behind the first ``skip``; see ``Source``."""
        with self._open(columns) as reader:
            yield from _behind(reader, skip)

    def _open(self, columns: Sequence[str] | None) -> Any:
        names = columns if columns is not None else []
        return csv.open_csv(
            self._path,
            csv.ReadOptions(block_size=_BLOCK, use_threads=True),
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=list(names),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )


class ArrowSource:
    """An Arrow file (also called Feather).

    Parameters
    ----------
    path : Path
    """

    textual = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: int | None = None
        with pa.ipc.open_file(pa.memory_map(str(path))) as file:
            self.schema = _without_views(file.schema.remove_metadata())
        self.fingerprint = _fingerprint([path], path.parent, _ends)

    def read(self, columns: Sequence[str], coded: Sequence[str], skip: int) -> Iterator[Any]:
        """Return the rows behind the first ``skip``; see ``Source``."""
        with pa.ipc.open_file(pa.memory_map(str(self._path))) as file:
            batches = (file.get_batch(at) for at in range(file.num_record_batches))
            for batch in _behind(batches, skip):
                chosen = batch.select(list(columns))
                yield chosen.cast(_without_views(chosen.schema))


class DeltaSource:
    """A Delta table as it is now; later versions of it are other inputs.

    Parameters
    ----------
    path : Path
    """

    textual = False

    def __init__(self, path: Path) -> None:
        import deltalake

        self.rows: int | None = None

        table = deltalake.DeltaTable(str(path))
        self._dataset = table.to_pyarrow_dataset()
        names = [name for name in self._dataset.schema.names if name != _HIDDEN]
        self.schema = pa.schema([self._dataset.schema.field(name) for name in names])
        told = f"{table.metadata().id} {table.version()}"
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()

    def read(self, columns: Sequence[str], coded: Sequence[str], skip: int) -> Iterator[Any]:
        """Return the rows behind the first ``skip``; see ``Source``."""
        scanner = self._dataset.scanner(
            columns=list(columns), batch_size=_STEP, batch_readahead=2, fragment_readahead=1
        )
        yield from _behind(scanner.to_batches(), skip)


def _without_views(schema: pa.Schema) -> pa.Schema:
    """Turn text views, which polars writes and few functions of Arrow take, into plain text."""
    return pa.schema(
        [
            pa.field(
                field.name, pa.large_string() if field.type == pa.string_view() else field.type
            )
            for field in schema
        ]
    )


def _behind(batches: Iterable[Any], skip: int) -> Iterator[Any]:
    for batch in batches:
        if skip < batch.num_rows:
            yield batch.slice(skip)
        skip = max(0, skip - batch.num_rows)


def _fingerprint(paths: Sequence[Path], folder: Path, look: Any) -> str:
    found = hashlib.sha256()
    for path in paths:
        state = path.stat()
        name = path.relative_to(folder)
        found.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
        found.update(look(path, state.st_size))
    return found.hexdigest()


def _footer(path: Path, size: int) -> bytes:
    """Return a parquet file's footer: schema, row groups, their places and statistics."""
    with path.open("rb") as file:
        file.seek(size - 8)
        length = int.from_bytes(file.read(4), "little")
        file.seek(size - 8 - length)
        return file.read(length)


def _ends(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        start = file.read(1 << 16)
        file.seek(max(0, size - (1 << 16)))
        return start + file.read()
