"""How far two windows lie apart, from counts in common bins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.monitoring.windows.grid import Counts, Floats, Grid


def hellinger(a: Counts, b: Counts) -> float:
    """Return the Hellinger distance, ``sqrt(1 - sum(sqrt(p q)))``, 0 to 1.

    Parameters
    ----------
    a, b : ndarray of int64, (n_bins,)

    References
    ----------
    Hellinger, E. (1909). Neue Begründung der Theorie quadratischer Formen von unendlichvielen
    Veränderlichen. J. reine angew. Math. 136.

    Examples
    --------
    >>> hellinger(np.array([10, 0]), np.array([0, 10]))
    1.0
    """
    return float(np.sqrt(np.clip(1.0 - np.sqrt(_shares(a) * _shares(b)).sum(), 0.0, 1.0)))


def wasserstein(a: Floats, b: Floats, grid: Grid) -> float:
    """Return the first Wasserstein distance, the area between the distribution functions.

    Over the grid's bulk it is right to within one cell's width, 1/65,536 of the bulk's range;
    beyond it, exact.

    Parameters
    ----------
    a, b : ndarray of float64
        (n_a,), (n_b,), finite.
    grid : Grid
        Of the two.

    References
    ----------
    Vallender, S. S. (1974). Calculation of the Wasserstein distance between probability
    distributions on the line. Theory Probab. Appl. 18, 784-786.

    Examples
    --------
    >>> from gleis.monitoring.windows.grid import lay_grid
    >>> a = np.arange(1000.0)
    >>> round(wasserstein(a, a + 5, lay_grid(a, a + 5)), 2)
    5.0
    """
    ahead = np.cumsum(grid.a) / len(a) - np.cumsum(grid.b) / len(b)
    inner = np.abs(ahead[:-1])
    bulk = float(((inner[:-1] + inner[1:]) / 2).sum()) * grid.width
    top = grid.low + (len(grid.a) - 2) * grid.width
    return (
        bulk
        + _area(a[a < grid.low], b[b < grid.low], len(a), len(b), grid.low)
        + _area(-a[a >= top], -b[b >= top], len(a), len(b), -top)
    )


def _area(a: Floats, b: Floats, n: int, m: int, end: float) -> float:
    """Return the area between two distribution functions below ``end``, where both begin at 0."""
    values = np.concatenate([a, b])
    if not len(values):
        return 0.0
    order = np.argsort(values, kind="stable")
    steps = np.repeat([1.0 / n, -1.0 / m], [len(a), len(b)])[order]
    at = np.append(values[order], end)
    return float((np.abs(np.cumsum(steps)) * np.diff(at)).sum())


def _shares(counts: NDArray[Any]) -> Floats:
    total = counts.sum()
    return np.asarray(counts / total if total else np.zeros(len(counts)), dtype=np.float64)
