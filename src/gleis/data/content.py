"""The hash of rows: equal on every machine, whatever wrote them into memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from gleis.contracts.errors import DataError

_SLICE = 1_000_000


def hash_rows(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of names, types and values, column by column.

    Bytes are little-endian, a null is a bit beside a zero, every NaN is one NaN and -0.0 is 0.0;
    the memory layout, the chunks and the library's version do not matter. The order of rows and
    columns does.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes it: numbers, booleans, text and times.

    Raises
    ------
    DataError
        If a column has another type.

    Examples
    --------
    >>> one = pl.DataFrame({"x": [1, None]})
    >>> two = pl.concat([one.head(1), one.tail(1)], rechunk=False)
    >>> hash_rows(one) == hash_rows(two)
    True
    """
    return hash_columns(frame.height, frame)


def hash_columns(height: int, columns: Iterable[pl.Series]) -> str:
    """Return what ``hash_rows`` does of columns that come one after another.

    Parameters
    ----------
    height : int
        Rows of each.
    columns : iterable of Series, (n_rows,)

    Raises
    ------
    DataError
        As for ``hash_rows``.
    """
    digest = hashlib.sha256(f"{height}".encode())
    for column in columns:
        digest.update(f"\0{column.name}\0{column.dtype}\0".encode())
        missing = column.is_null()
        digest.update(np.packbits(missing.to_numpy()).tobytes())
        _add_values(digest, column)
    return digest.hexdigest()


def hash_nothing(columns: Mapping[str, str]) -> str:
    """Return the hash of a table without rows: only names and types count.

    Examples
    --------
    >>> hash_nothing({"x": "Int64"}) == hash_rows(pl.DataFrame(schema={"x": pl.Int64}))
    True
    """
    digest = hashlib.sha256(b"0")
    for name, kind in columns.items():
        digest.update(f"\0{name}\0{kind}\0".encode())
    return digest.hexdigest()


def chain(parent: str | None, rows: str) -> str:
    """Return the content hash of a version: its parent's, then the hash of its own rows."""
    return hashlib.sha256(f"{parent or ''}{rows}".encode()).hexdigest()


def _add_values(digest: hashlib._Hash, column: pl.Series) -> None:
    kind = column.dtype
    if kind == pl.String:
        texts = column.fill_null("")
        digest.update(texts.str.len_bytes().to_numpy().astype("<u4").tobytes())
        for start in range(0, texts.len(), _SLICE):
            digest.update(texts.slice(start, _SLICE).str.join("")[0].encode())
    elif kind.is_float():
        values = column.fill_null(0.0).to_numpy() + 0.0
        values = np.where(np.isnan(values), np.nan, values)
        digest.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
    elif kind.is_integer() or isinstance(kind, pl.Datetime):
        values = column.to_physical().fill_null(0).to_numpy()
        digest.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
    elif kind == pl.Boolean:
        digest.update(np.packbits(column.fill_null(value=False).to_numpy()).tobytes())
    elif kind != pl.Null:
        raise DataError(
            f"Column {column.name} has a type that has no hash",
            seen=str(kind),
            remedy="Bring the table through gleis.data.door.to_frame first.",
            field=column.name,
        )
