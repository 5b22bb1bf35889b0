"""Rows gathered until their stretch of time is over."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class OpenBlock:
    """Sums over the rows of the present stretch of time.

    Parameters
    ----------
    bins : sequence of int
        Bins of each column.

    Attributes
    ----------
    number : float
        Stretches since 1970; NaN before the first row.
    opened : float
        Event time of its first row, seconds since 1970.
    rows : int
    counts : list of ndarray of int64
        (n_bins,) rows by bin, for each column.
    sums : ndarray of float64
        (n_columns,) sums of values.
    """

    def __init__(self, bins: list[int]) -> None:
        self.number = self.opened = math.nan
        self.rows = 0
        self.counts = [np.zeros(n, dtype=np.int64) for n in bins]
        self.sums = np.zeros(len(bins))

    def add(self, codes: Counts, values: Floats, number: float, opened: float) -> None:
        """Add rows: codes and values (n_rows, n_columns)."""
        if not self.rows:
            self.number, self.opened = number, opened
        self.rows += len(codes)
        for c, counts in enumerate(self.counts):
            self.counts[c] = counts + np.bincount(codes[:, c], minlength=len(counts))
        self.sums = self.sums + values.sum(axis=0)

    def clear(self) -> None:
        """Begin anew."""
        self.rows = 0
        self.sums = np.zeros_like(self.sums)
        self.counts = [np.zeros_like(counts) for counts in self.counts]


def cut_blocks(stamps: Floats, length: float, present: float) -> Iterator[tuple[slice, float]]:
    """Cut rows where a new stretch of time begins.

    Parameters
    ----------
    stamps : ndarray of float64
        (n_rows,) event times, seconds since 1970, in the order the rows came.
    length : float
        Seconds of a stretch.
    present : float
        Number of the stretch that is open, or NaN. A late row joins the one that is open.

    Yields
    ------
    rows : slice
    number : float
        Stretches since 1970.

    Examples
    --------
    >>> list(cut_blocks(np.array([5.0, 12.0, 9.0, 31.0]), 10.0, math.nan))
    [(slice(0, 1, None), 0.0), (slice(1, 3, None), 1.0), (slice(3, 4, None), 3.0)]
    """
    if not len(stamps):
        return
    numbers = np.fmax.accumulate(np.concatenate(([present], np.floor(stamps / length))))[1:]
    cuts = np.flatnonzero(np.diff(numbers)) + 1
    for first, last in zip([0, *cuts], [*cuts, len(numbers)], strict=True):
        yield slice(int(first), int(last)), float(numbers[first])
