"""One file as a table, whatever its format."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import polars as pl

from gleis.config.data_settings import CsvSettings, DatasetSettings
from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.errors import DataError
from gleis.data.door import to_frame
from gleis.data.sources.csv_text import read_csv
from gleis.data.sources.moments import to_moments
from gleis.data.sources.records import to_rows

_UTC = pl.Datetime("us", "UTC")
_TYPES: dict[str, str] = {
    "integer": "Int64",
    "float": "Float64",
    "text": "String",
    "boolean": "Boolean",
    "time": "time",
}


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file's columns before it is read."""

    csv: CsvSettings
    types: Mapping[str, str]
    """Column -> ``Int64``, ``Float64``, ``Boolean``, ``String`` or ``time``."""
    columns: Mapping[str, str] | None
    """Column -> type of the dataset so far."""


def shape_of(
    spec: DatasetSpec, settings: DatasetSettings, columns: Mapping[str, str] | None
) -> Shape:
    """Gather what a project says of its columns and what the dataset holds."""
    known = {name: _TYPES[kind] for name, kind in settings.types.items()}
    times = {name: "time" for name in (spec.time, spec.known) if name is not None}
    held = {
        name: "time" if text.startswith("Datetime") else text
        for name, text in (columns or {}).items()
    }
    return Shape(csv=settings.csv, types=held | times | known, columns=columns)


def read_file(path: Path, shape: Shape) -> pl.DataFrame:
    """Read a file as rows that came through the door.

    Parameters
    ----------
    path : Path
        ``.parquet``; ``.csv``, ``.tsv`` and either with ``.gz``; ``.arrow``, ``.feather``, ``.ipc``
        (file or stream); ``.jsonl``, ``.ndjson`` and either with ``.gz``.
    shape : Shape

    Raises
    ------
    DataError
        It cannot be read, saying where it breaks.
    FileNotFoundError
        It is not there.
    """
    reader = READERS.get(suffix_of(path))
    if reader is None:
        raise DataError(
            "It is no kind of file that is read",
            seen=path.name,
            remedy=f"Write {', '.join(READERS)}.",
        )
    try:
        frame = to_frame(reader(path, shape))
    except (FileNotFoundError, DataError):
        raise
    except PermissionError as error:
        raise DataError("It may not be read", remedy=f"Permit it: chmod a+r {path}") from error
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(f"It cannot be read: {str(error).splitlines()[0]}") from error
    return timed(frame, shape)


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format: ``.csv``, ``.csv.gz``; in lower case."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return "".join(suffixes) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def hash_file(path: Path) -> str:
    """Return ``sha256:...`` of a file's bytes.

    Raises
    ------
    DataError
        It may not be read.
    FileNotFoundError
        It is not there.
    """
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(
            f"It cannot be read: {error.strerror}", remedy=f"Permit it: chmod a+r {path}"
        ) from error


def timed(frame: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Turn text into times where the column is one of times.

    Raises
    ------
    DataError
        A text is no ISO 8601 time.
    """
    texts = [
        name
        for name, kind in frame.schema.items()
        if kind == pl.String and shape.types.get(name) == "time"
    ]
    return frame.with_columns(to_moments(name, frame[name].to_list()) for name in texts)


def _csv(path: Path, shape: Shape) -> pl.DataFrame:
    form = shape.csv
    if suffix_of(path).startswith(".tsv"):
        form = msgspec.structs.replace(form, separator="\t")
    known = {name: getattr(pl, kind) for name, kind in shape.types.items() if kind != "time"}
    return read_csv(path, form, known)


def _parquet(path: Path, shape: Shape) -> pl.DataFrame:
    with path.open("rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if size < 12 or head != b"PAR1" or tail != b"PAR1":
        what = "no Parquet file" if head != b"PAR1" else "cut: it lacks Parquet's footer"
        raise DataError(
            f"It is {what}",
            seen=f"{size:,} bytes",
            remedy="Write it under another name, such as day.parquet.tmp, and rename it when it is "
            "complete.",
        )
    return pl.read_parquet(path, glob=False)


def _arrow(path: Path, shape: Shape) -> pl.DataFrame:
    with path.open("rb") as file:
        is_file = file.read(6) == b"ARROW1"
    return pl.read_ipc(path) if is_file else pl.read_ipc_stream(path)


def _json_lines(path: Path, shape: Shape) -> pl.DataFrame:
    records = []
    plain = msgspec.json.Decoder(dict[str, object])
    lines: list[int] = []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            records.append(plain.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"Line {number} is no JSON object: {error}", seen=line[:60]) from error
        lines.append(number)
    found = to_rows(records, shape.columns, shape.types)
    if found.misfits:
        first = found.misfits[0]
        more = f" of {len(found.misfits):,} bad ones" if len(found.misfits) > 1 else ""
        raise DataError(f"Line {lines[first.at]}{more}: {first.reason}", seen=first.seen)
    return found.frame


def _lines(path: Path) -> Iterator[bytes]:
    if path.suffix.lower() != ".gz":
        with path.open("rb") as file:
            yield from file
        return
    try:
        with gzip.open(path) as packed:
            yield from packed
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"It is cut, or no gzip file: {error}") from error


READERS: dict[str, Callable[[Path, Shape], pl.DataFrame]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".csv.gz": _csv,
    ".tsv.gz": _csv,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".ipc": _arrow,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".jsonl.gz": _json_lines,
    ".ndjson.gz": _json_lines,
}
"""Suffix -> how such a file is read."""
