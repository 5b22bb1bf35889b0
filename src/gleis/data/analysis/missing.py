"""Which columns are missing in the same rows."""

from __future__ import annotations

import numpy as np
import polars as pl

from gleis.contracts.analysis import MissingTogether

_MOST = 20
_LEAST = 0.2


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
    bits = {
        column.name: np.packbits(column.is_null().to_numpy())
        for column in frame
        if column.null_count()
    }
    names = list(bits)
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
