"""CSV, read carefully: what would become a wrong value is an error that names its line."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl

from gleis.config.data_settings import CsvSettings
from gleis.contracts.errors import DataError
from gleis.data.sources.moments import looks_mixed

_SLICE = 1 << 24
_SAMPLE = 10_000
"""Rows whose values tell the types of columns, unless a later one contradicts."""
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_COMMA = r"^\s*[+-]?\d[\d.]*,\d+\s*$"
_BEYOND_ASCII = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
"""A character of UTF-8 that hardly any other text has."""
_ENCODING = 'Write it in UTF-8, or say its encoding: csv = {{ encoding = "{}" }}.'


def read_csv(
    path: Path, form: CsvSettings, types: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    """Read a CSV file, also one compressed by gzip.

    Parameters
    ----------
    path : Path
    form : CsvSettings
        Separator, encoding, decimal sign.
    types : mapping of str to polars type
        Columns whose type is known; of the others it is found in all their values.

    Raises
    ------
    DataError
        Naming line, and byte or column: bytes that are not of the encoding, NUL bytes, a line with
        more or fewer fields than the header, names that repeat, a value that is not of the type
        its column has, a file that is cut within a quoted field.
    """
    text = _text(_bytes(path), form)
    if not text.strip():
        return pl.DataFrame()
    text = text.rstrip(b"\r\n") + b"\n"
    names = _header(text, form)
    _check_fields(text, len(names), form)
    known = {name: kind for name, kind in types.items() if name in names}
    try:
        frame = _parse(text, form, known)
    except pl.exceptions.PolarsError as error:
        raise _odd_value(text, known, form) or DataError(
            f"It is no CSV that can be read: {str(error).splitlines()[0]}"
        ) from error
    for column in frame.select(pl.col(pl.String).exclude(list(known))):
        _check_text(column)
    return frame


def _check_text(column: pl.Series) -> None:
    """Refuse a column that was found to be text only because of how it is written."""
    some = column.drop_nulls().unique(maintain_order=True).head(2).to_list()
    if looks_mixed(column):
        raise DataError(
            f"Column {column.name} mixes times with a zone and times without one",
            seen=some,
            remedy="Write all with a zone, or none.",
            field=column.name,
        )
    if some and column.drop_nulls().str.contains(_COMMA).all():
        raise DataError(
            f"Column {column.name} holds numbers with a comma",
            seen=some[0],
            remedy="If that is the decimal sign, say so: csv = { decimal_comma = true }; if it is "
            f'text: types = {{ {column.name} = "text" }}.',
            field=column.name,
        )


def _parse(
    text: bytes, form: CsvSettings, known: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    """Read with types that fit all values.

    To look at all of them first takes ten times as long as to read them. Types are guessed from
    some; a value that does not fit is an error of the reader, and then all are looked at. Only text
    fits anything: a column that began without a value may hold numbers.
    """
    frame = None
    with suppress(pl.exceptions.PolarsError):
        frame = _read(text, form, known, _SAMPLE)
    if frame is not None:
        guessed = frame.select(pl.col(pl.String).exclude(list(known))).head(_SAMPLE)
        if not any(column.null_count() == column.len() for column in guessed):
            return frame
    return _read(text, form, known, None)


def _read(
    text: bytes,
    form: CsvSettings,
    known: Mapping[str, pl.DataType | type[pl.DataType]],
    looked_at: int | None,
) -> pl.DataFrame:
    return pl.read_csv(
        text,
        separator=form.separator,
        decimal_comma=form.decimal_comma,
        try_parse_dates=True,
        infer_schema_length=looked_at,
        schema_overrides=known,
    )


def _bytes(path: Path) -> bytes:
    if path.suffix.lower() != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"It is cut, or no gzip file: {error}") from error


def _text(content: bytes, form: CsvSettings) -> bytes:
    """Return the content as UTF-8 without a mark."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark) and codecs.lookup(form.encoding).name == "utf-8":
            raise DataError(f"It is written in {encoding}", remedy=_ENCODING.format(encoding))
    if codecs.lookup(form.encoding).name != "utf-8":
        try:
            content = content.decode(form.encoding).encode()
        except UnicodeDecodeError as error:
            raise _undecodable(content, error.start, form.encoding) from error
    content = content.removeprefix(codecs.BOM_UTF8)
    _check_utf8(content)
    if (at := content.find(b"\0")) >= 0:
        line, byte = _place(content, at)
        raise DataError(
            f"Line {line} has a NUL byte, at byte {byte}",
            remedy="The file is damaged, was never written to its end, or is no text.",
        )
    return content


def _check_utf8(content: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    for start in range(0, len(content), _SLICE):
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _SLICE], final=start + _SLICE >= len(content))
        except UnicodeDecodeError as error:
            raise _undecodable(content, start - waiting + error.start, "utf-8") from error


def _undecodable(content: bytes, at: int, encoding: str) -> DataError:
    line, byte = _place(content, at)
    other = "latin-1" if encoding == "utf-8" else "utf-8"
    utf8 = _BEYOND_ASCII.search(content) if encoding == "utf-8" else None
    if utf8 is not None:
        return DataError(
            f"Line {line} is not UTF-8 at byte {byte}, but line {_place(content, utf8.start())[0]} "
            "is: it is written in two encodings",
            seen=content[max(0, at - 12) : at + 8],
            remedy="Write all of it in UTF-8.",
        )
    return DataError(
        f"Line {line} is not {encoding.upper()} at byte {byte}",
        seen=content[max(0, at - 12) : at + 8],
        remedy=_ENCODING.format(other),
    )


def _place(content: bytes, at: int) -> tuple[int, int]:
    """Return line and byte within it, both from 1, of a position."""
    return content.count(b"\n", 0, at) + 1, at - content.rfind(b"\n", 0, at)


def _header(text: bytes, form: CsvSettings) -> list[str]:
    names = next(_records(text, form), [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            "Column names repeat",
            seen=twice,
            remedy="Rename or drop the repeated columns.",
            field=twice[0],
        )
    for other in ";\t|":
        if len(names) == 1 and other in names[0]:
            raise DataError(
                f"The header has no {form.separator!r}",
                seen=names[0],
                remedy=f"If {other!r} is between its fields, say so: "
                f"csv = {{ separator = {other!r} }}.",
            )
    return names


def _records(text: bytes, form: CsvSettings) -> Iterator[list[str]]:
    lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
    csv.field_size_limit(1 << 30)
    yield from csv.reader(lines, delimiter=form.separator, strict=True)


def _check_fields(text: bytes, wanted: int, form: CsvSettings) -> None:
    """Refuse lines with more or fewer fields than the header; polars fills short ones with null."""
    if wanted < 2:
        return
    odd = _odd_quoted(text, wanted, form) if b'"' in text else _odd_plain(text, wanted, form)
    if odd is not None:
        line, fields = odd
        raise DataError(
            f"Line {line} has {fields} fields, the header has {wanted}",
            seen=text.splitlines()[line - 1].decode(),
            remedy="A field that holds the separator or a line break stands in double quotes.",
        )


def _odd_quoted(text: bytes, wanted: int, form: CsvSettings) -> tuple[int, int] | None:
    lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
    csv.field_size_limit(1 << 30)
    reader = csv.reader(lines, delimiter=form.separator, strict=True)
    try:
        return next(((reader.line_num, len(one)) for one in reader if len(one) != wanted), None)
    except csv.Error as error:
        raise DataError(
            f"A quoted field that ends at line {reader.line_num} is broken: {error}",
            remedy="The file is cut, or a double quote within a field is not doubled.",
        ) from error


def _odd_plain(text: bytes, wanted: int, form: CsvSettings) -> tuple[int, int] | None:
    """Count separators between line breaks, a slice at a time."""
    start, line = 0, 1
    while start < len(text):
        end = text.rfind(b"\n", start, start + _SLICE) + 1 or text.index(b"\n", start) + 1
        part = np.frombuffer(text, np.uint8, end - start, start)
        breaks = np.flatnonzero(part == ord("\n"))
        marks = np.flatnonzero(part == ord(form.separator))
        counts = np.diff(np.searchsorted(marks, breaks), prepend=0) + 1
        odd = np.flatnonzero(counts != wanted)
        if odd.size:
            return line + int(odd[0]), int(counts[odd[0]])
        start, line = end, line + breaks.size
    return None


def _odd_value(
    text: bytes,
    known: Mapping[str, pl.DataType | type[pl.DataType]],
    form: CsvSettings,
) -> DataError | None:
    """Find a value that is not of the type its column has."""
    whole = pl.read_csv(text, separator=form.separator, infer_schema=False)
    for name, kind in known.items():
        values = whole[name]
        plain = values.str.replace(",", ".") if form.decimal_comma else values
        cast = plain.cast(kind, strict=False) if kind != pl.Boolean else _booleans(plain)
        odd = (cast.is_null() & values.is_not_null()).arg_true()
        if odd.len():
            row = int(odd[0])
            return DataError(
                f"Column {name} holds {kind}, but row {row + 1} has",
                seen=values[row],
                remedy=_remedy(values[row], form),
                field=name,
            )
    return None


def _remedy(value: str, form: CsvSettings) -> str:
    if not form.decimal_comma and re.match(_COMMA, value):
        return "If the comma is the decimal sign, say so: csv = { decimal_comma = true }."
    return (
        "Mend the file; if the column holds something else from now on, take the source in again "
        "as a whole: gleis data add NAME --anew."
    )


def _booleans(values: pl.Series) -> pl.Series:
    lower = values.str.to_lowercase()
    return pl.select(
        pl.when(lower == "true").then(True).when(lower == "false").then(False)
    ).to_series()
