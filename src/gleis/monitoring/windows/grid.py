"""Two samples on one fine grid: almost as good as sorted, and twenty times as fast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_CELLS = 1 << 16
_SAMPLE = 4096
_TAIL = 0.002
"""Share of a sample beyond the grid on either side; those rows are sorted."""


class Grid(NamedTuple):
    """How many rows of two samples lie in each cell, and what the cells are."""

    low: float
    width: float
    """Of a cell; cell ``k`` holds ``low + (k - 1) width`` up to the next, the first and the last
    cell whatever is beyond."""
    a: Counts
    """(n_cells,)."""
    b: Counts
    at_a: NDArray[np.int32]
    """(n_a,) cell of each value; a greater value has no smaller cell."""
    at_b: NDArray[np.int32]

    def middles(self) -> Floats:
        """Return a value in each cell; the open ones stand at their inner edge."""
        return np.asarray(self.low + (np.arange(len(self.a)) - 0.5) * self.width)


def lay_grid(a: Floats, b: Floats) -> Grid:
    """Count two samples in cells of one width over their common bulk.

    Parameters
    ----------
    a, b : ndarray of float64
        (n_a,), (n_b,), finite, at least one value each.
    """
    low, high = _bulk(a, b)
    n_cells = int(min(_CELLS, max(64, len(a) + len(b)))) + 2
    width = (high - low) / (n_cells - 2)
    if not width > 0 or not np.isfinite(width):
        low, width, n_cells = low - 1.0, 1.0, 3
    at_a, at_b = (_cells(x, low, width, n_cells) for x in (a, b))
    counts = [np.bincount(cells, minlength=n_cells) for cells in (at_a, at_b)]
    return Grid(low, width, counts[0], counts[1], at_a, at_b)


def _cells(values: Floats, low: float, width: float, n_cells: int) -> NDArray[np.int32]:
    # One pass less than floor(): the shift keeps all that is inside above 0 before truncation.
    place = values - low
    place /= width
    place += 1.0
    np.clip(place, 0.0, n_cells - 1, out=place)
    return place.astype(np.int32)


def _bulk(a: Floats, b: Floats) -> tuple[float, float]:
    sample = np.concatenate([x[:: max(1, len(x) // _SAMPLE)] for x in (a, b)])
    low, high = np.quantile(sample, [_TAIL, 1 - _TAIL])
    return float(low), float(high)
