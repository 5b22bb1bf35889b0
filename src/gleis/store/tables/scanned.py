"""A Delta table as polars reads it, wherever it is."""

from __future__ import annotations

import deltalake
import polars as pl

from gleis.store.objects.s3_options import polars_options


def scan_table(table: deltalake.DeltaTable) -> pl.LazyFrame:
    """Return the rows of an open table, read when they are needed."""
    return pl.scan_delta(table, storage_options=polars_options(table._storage_options))
