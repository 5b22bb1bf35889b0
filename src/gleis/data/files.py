"""Rows from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from gleis.contracts.errors import DataError


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a file as ``read_table`` does, into one dict a row, as requests carry them."""
    return read_table(path).to_dicts()


def read_table(path: Path) -> pl.DataFrame:
    """Read a ``.parquet``, ``.arrow`` (Arrow IPC) or ``.csv`` file.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        if path.suffix.lower() in (".arrow", ".feather", ".ipc"):
            return pl.read_ipc(path)
        return pl.read_csv(path, try_parse_dates=True, infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
