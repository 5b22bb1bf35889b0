"""Rows gathered until their stretch of time is over."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

FAR = 2
"""Stretches a row may lie off before its clock is doubted."""
PATIENCE = 20
"""By so many must the rows that are far off outnumber the others before they are followed."""


class OpenBlock:
    """Sums over the rows of the present stretch of time.

    Parameters
    ----------
    bins : sequence of int
        Bins of each column.
    n_cells : int
        Cells of hours, where there are seasons.

    Attributes
    ----------
    number : float
        Stretches since 1970; NaN before the first row.
    opened : float
        Event time of its first row, seconds since 1970.
    away : int
        By how many the latest rows that lay far off outnumber the others; see `cut_blocks`.
    rows : int
    counts : list of ndarray of int64
        (n_cells, n_bins) rows by bin, for each column.
    sums : ndarray of float64
        (n_columns,) sums of values.
    """

    def __init__(self, bins: list[int], n_cells: int = 1) -> None:
        self.number = self.opened = math.nan
        self.rows = self.away = 0
        self.counts = [np.zeros((n_cells, n), dtype=np.int64) for n in bins]
        self.sums = np.zeros(len(bins))

    def add(
        self, codes: Counts, values: Floats, cells: Counts, number: float, opened: float
    ) -> None:
        """Add rows: codes and values (n_rows, n_columns), cells (n_rows,)."""
        if not self.rows:
            self.number, self.opened = number, opened
        self.rows += len(codes)
        for c, counts in enumerate(self.counts):
            keys = cells * counts.shape[1] + codes[:, c]
            found = np.bincount(keys, minlength=counts.size)
            self.counts[c] = counts + found.reshape(counts.shape)
        self.sums = self.sums + values.sum(axis=0)

    def clear(self) -> None:
        """Begin anew."""
        self.rows = 0
        self.sums = np.zeros_like(self.sums)
        self.counts = [np.zeros_like(counts) for counts in self.counts]


def cut_blocks(
    stamps: Floats, length: float, present: float, away: int = 0
) -> tuple[list[tuple[slice, float]], int]:
    """Cut rows where a new stretch of time begins.

    A late row joins the stretch that is open. So does one that is more than two stretches off,
    either way: a device whose clock stands in 2099 must not end the present, nor keep all others
    waiting until then. Once they outnumber the others by twenty they are believed, and the stretch
    changes: it was a pause, or a clock that was set.

    Parameters
    ----------
    stamps : ndarray of float64
        (n_rows,) event times, seconds since 1970, in the order the rows came.
    length : float
        Seconds of a stretch.
    present : float
        Number of the stretch that is open, or NaN.
    away : int
        By how many rows before these that were far off outnumber the others.

    Returns
    -------
    parts : list of (slice, float)
        Rows, and the number of their stretch since 1970.
    away : int
        The same after these rows.

    Examples
    --------
    >>> cut_blocks(np.array([5.0, 12.0, 9.0, 31.0]), 10.0, math.nan)[0]
    [(slice(0, 1, None), 0.0), (slice(1, 3, None), 1.0), (slice(3, 4, None), 3.0)]
    """
    if not len(stamps):
        return [], away
    own = np.floor(stamps / length)
    reached = np.fmax.accumulate(np.concatenate(([present], own)))
    off = max(np.nanmax(np.diff(reached), initial=0.0), (reached[1:] - own).max())
    numbers = reached[1:]
    if off > FAR or away:
        numbers, away = _doubt(own, present, away)
    cuts = np.flatnonzero(np.diff(numbers)) + 1
    return [
        (slice(int(first), int(last)), float(numbers[first]))
        for first, last in zip([0, *cuts], [*cuts, len(numbers)], strict=True)
    ], away


def _doubt(own: Floats, present: float, away: int) -> tuple[Floats, int]:
    """Row by row: which stretch each joins, where some clocks are doubtful."""
    numbers = np.empty_like(own)
    for row, number in enumerate(own):
        far = abs(number - present) > FAR
        away = away + 1 if far else max(away - 1, 0)
        if math.isnan(present) or away >= PATIENCE or (not far and number > present):
            present, away = number, 0
        numbers[row] = present
    return numbers, away
