"""Which columns are missing in the same rows."""

from __future__ import annotations

import numpy as np
import polars as pl

from gleis.contracts.analysis import MissingTogether

_MOST = 20
_LEAST = 0.2
_COLUMNS = 200
"""Columns whose pairs are looked at, those with most missing values."""


def missing_together(frame: pl.DataFrame) -> tuple[MissingTogether, ...]:
    """Return the pairs of columns whose missing values lie in the same rows, exact.

    Only pairs that share at least a fifth of the rows in which one of them is missing, the most
    overlapping first; a row is a bit here, so all pairs of a million rows take milliseconds.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [None, None, 1], "b": [None, 2, 1], "c": [1, 2, 3]})
    >>> [(each.first, each.second, each.rows, each.overlap) for each in missing_together(frame)]
    [('a', 'b', 1, 0.5)]
    """
    gaps = {column.name: count for column in frame if (count := column.null_count())}
    most = set(sorted(gaps, key=lambda name: -gaps[name])[:_COLUMNS])
    names = [name for name in gaps if name in most]
    bits = {name: np.packbits(frame[name].is_null().to_numpy()) for name in names}
    found = []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            both = int(np.bitwise_count(bits[first] & bits[second]).sum())
            either = int(np.bitwise_count(bits[first] | bits[second]).sum())
            if both >= _LEAST * either:
                found.append(
                    MissingTogether(first=first, second=second, rows=both, overlap=both / either)
                )
    return tuple(sorted(found, key=lambda each: (-each.overlap, -each.rows))[:_MOST])
