"""The files of a Delta table's version, as its log describes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import deltalake
import polars as pl

from gleis.store.tables.column_types import ROW

_TRUNCATED = 32
"""Text as long as this may be a bound and not a value, so it is taken for none."""


class TableFile(NamedTuple):
    """A Parquet file of a table. It never changes: other rows are another file."""

    name: str
    """Relative to the table."""
    rows: int
    size: int
    """Bytes."""
    first: int | None
    """Smallest position of a row (``_row``); None where the log does not say."""
    last: int | None
    low: Any = None
    """Smallest value of the column that was asked for; None where the log does not say."""
    high: Any = None


def files_of(table: deltalake.DeltaTable, column: str | None = None) -> list[TableFile]:
    """Return the files of an open version, in the order of their rows."""
    # The log's own bookkeeping: a line a file, whatever the files hold.
    found = pl.DataFrame(table.get_add_actions(flatten=True))
    wanted = {"path", "num_records", "size_bytes", *_bounds(ROW), *_bounds(column)}
    found = found.select(name for name in found.columns if name in wanted)
    files = [
        TableFile(
            name=line["path"],
            rows=line["num_records"],
            size=line["size_bytes"],
            first=line.get(f"min.{ROW}"),
            last=line.get(f"max.{ROW}"),
            low=_bound(line.get(f"min.{column}")),
            high=_bound(line.get(f"max.{column}")),
        )
        for line in found.to_dicts()
    ]
    return sorted(files, key=lambda file: (file.first is None, file.first or 0))


def _bounds(column: str | None) -> tuple[str, str]:
    return f"min.{column}", f"max.{column}"


def _bound(value: Any) -> Any:
    """Return a smallest or largest value; long text is cut in the log, a float may hide NaN."""
    long = isinstance(value, str | bytes) and len(value) >= _TRUNCATED
    return None if long or isinstance(value, float) else value
