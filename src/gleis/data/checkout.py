"""Write a version's rows to a file or a folder: streamed, and whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from gleis.contracts.errors import DataError, StoreError

_FOLDER_ROWS = 1_000_000
"""Rows of a file in a folder, at least, but for the last."""


class _Sink(Protocol):
    def write(self, part: pl.DataFrame) -> None: ...

    def close(self) -> None: ...


def write_rows(
    parts: Iterator[pl.DataFrame], schema: pl.Schema, target: Path, *, force: bool = False
) -> int:
    """Write rows as the name of ``target`` says and return their number.

    Parameters
    ----------
    parts : iterator of DataFrame
        The rows in their order, some at a time.
    schema : Schema
        Of every part.
    target : Path
        ``.parquet``, ``.csv``, ``.arrow`` (also ``.feather``, ``.ipc``), or without a suffix a
        folder of Parquet files whose names sort as the rows do.
    force : bool
        Replace what is there.

    Raises
    ------
    DataError
        The suffix is none of these, or something is there already.
    StoreError
        It cannot be written; what was there before is as it was.
    """
    kind = _SINKS.get(target.suffix.lower())
    if kind is None:
        raise DataError(
            "A version cannot be written in this form",
            seen=target.name,
            remedy="Name a .parquet, .csv or .arrow file, or a folder (a name without a suffix).",
        )
    if target.exists() and not force:
        raise DataError(
            "There is something already",
            seen=str(target),
            remedy="Name another place, or replace it: --force.",
        )
    draft = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        rows = _fill(kind(draft, schema), parts)
        _put_in_place(draft, target)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written: {error.strerror or error}",
            remedy="See that the folder is writable and has room; nothing else was changed.",
        ) from error
    finally:
        _discard(draft)
    return rows


def _fill(sink: _Sink, parts: Iterator[pl.DataFrame]) -> int:
    rows = 0
    try:
        for part in parts:
            sink.write(part)
            rows += part.height
    finally:
        sink.close()
    return rows


def _put_in_place(draft: Path, target: Path) -> None:
    if target.is_dir():
        _discard(target)
    draft.replace(target)


def _discard(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


class _Parquet:
    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._schema = _arrow_schema(schema)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, part: pl.DataFrame) -> None:
        self._writer.write_table(part.to_arrow().cast(self._schema))

    def close(self) -> None:
        self._writer.close()


class _Arrow:
    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._schema = _arrow_schema(schema)
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, self._schema)

    def write(self, part: pl.DataFrame) -> None:
        self._writer.write_table(part.to_arrow().cast(self._schema))

    def close(self) -> None:
        self._writer.close()
        self._file.close()


class _Csv:
    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._file = path.open("wb")
        pl.DataFrame(schema=schema).write_csv(self._file)

    def write(self, part: pl.DataFrame) -> None:
        part.write_csv(self._file, include_header=False)

    def close(self) -> None:
        self._file.close()


class _Folder:
    def __init__(self, path: Path, schema: pl.Schema) -> None:
        path.mkdir()
        self._path, self._schema = path, schema
        self._files = self._rows = 0
        self._open = self._next()

    def write(self, part: pl.DataFrame) -> None:
        if self._rows >= _FOLDER_ROWS:
            self._open.close()
            self._open = self._next()
        self._open.write(part)
        self._rows += part.height

    def close(self) -> None:
        self._open.close()

    def _next(self) -> _Parquet:
        self._files, self._rows = self._files + 1, 0
        return _Parquet(self._path / f"part-{self._files:05d}.parquet", self._schema)


_SINKS: dict[str, Callable[[Path, pl.Schema], _Sink]] = {
    ".parquet": _Parquet,
    ".csv": _Csv,
    ".arrow": _Arrow,
    ".feather": _Arrow,
    ".ipc": _Arrow,
    "": _Folder,
}


def _arrow_schema(schema: pl.Schema) -> Any:
    return pl.DataFrame(schema=schema).to_arrow().schema
