"""A histogram in cells that workers share; counting a value costs a search among its edges."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gleis.store.counters import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 16
"""Values up to which a search each is cheaper than one for all."""


class Histogram:
    """Counts values into buckets ``value <= edge``, as Prometheus does.

    Parameters
    ----------
    cells : ndarray of float64, (n_edges + 2,)
        Updated in place: counts between edges, then the sum of all values.
    edges : sequence of float, (n_edges,)
        Increasing.

    Examples
    --------
    >>> cells = np.zeros(4)
    >>> Histogram(cells, (1.0, 2.0)).add([0.5, 1.0, 7.0])
    >>> cells.tolist()
    [2.0, 0.0, 1.0, 8.5]
    """

    __slots__ = ("_array", "_cells", "_edges")

    def __init__(self, cells: Cells, edges: Sequence[float]) -> None:
        self._cells = cells
        self._edges = list(edges)
        self._array = np.array(self._edges, dtype=np.float64)

    def add(self, values: Sequence[float] | NDArray[np.float64]) -> None:
        """Count finite values."""
        cells = self._cells
        if len(values) <= FEW:
            for value in values:
                cells[bisect_left(self._edges, value)] += 1
                cells[-1] += value
            return
        array = np.asarray(values)
        cells[:-1] += np.bincount(self._array.searchsorted(array), minlength=len(cells) - 1)
        cells[-1] += array.sum()
