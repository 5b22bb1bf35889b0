"""Rows from a file, as requests carry them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from gleis.contracts.errors import DataError


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a ``.csv`` or ``.parquet`` file into one dict a row.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path).to_dicts()
        return pl.read_csv(path, try_parse_dates=True, infer_schema_length=None).to_dicts()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
