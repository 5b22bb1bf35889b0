"""Rows that are there more than once."""

from __future__ import annotations

import polars as pl

from gleis.contracts.analysis import Duplicates


def count_duplicates(frame: pl.DataFrame, key: str | None = None) -> Duplicates:
    """Count rows that equal an earlier one: in all columns, and in all but the id.

    Exact: 64-bit hashes find the candidates, the rows themselves decide.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
    key : str, optional
        The id column.

    Examples
    --------
    >>> count_duplicates(pl.DataFrame({"id": [1, 2, 3], "x": [5, 5, 6]}), "id")
    Duplicates(rows=0, without_id=1)
    """
    if key is None or key not in frame.columns or frame.width < 2:
        return Duplicates(rows=_repeated(frame), without_id=None)
    rest = _repeated(frame.drop(key))
    # A row that repeats as a whole repeats without its id too.
    return Duplicates(rows=_repeated(frame) if rest else 0, without_id=rest)


def _repeated(frame: pl.DataFrame) -> int:
    if frame.is_empty() or not frame.width:
        return 0
    again = frame.hash_rows(seed=0).is_duplicated()
    if not again.any():
        return 0
    candidates = frame.filter(again)
    return candidates.height - candidates.n_unique()
