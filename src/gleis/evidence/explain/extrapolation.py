"""How often a curve asks the model about rows that nothing like was ever seen of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.explain.grids import Grid

Floats = NDArray[np.float64]

_FEWEST = 20
"""Rows at a value of the grid from which the others' ranges are known."""
WORTH_SAYING = 0.1
"""Share of made-up rows outside what was seen, from which it is said."""


def outside(matrix: Floats, grid: Grid) -> Floats:
    """Return how often moving a feature leaves what was seen together with another.

    A row that is moved to a value of the grid is outside, by another feature, if that one's value
    there lies beyond the range (of a category: is none of the values) of the rows that really have
    about this value of the grid. Ranges are of finitely many rows, so up to 2 / (rows + 1) of
    independent values lie beyond; that is taken off.

    Parameters
    ----------
    matrix : ndarray, (n_rows, n_features)
    grid : Grid

    Returns
    -------
    ndarray, (n_features,)
        Shares in [0, 1]; 0 for the feature itself, and where too few rows are at a value.

    References
    ----------
    Hooker, G., Mentch, L. and Zhou, S. (2021). Unrestricted permutation forces extrapolation.
    Statistics and Computing 31, 82.

    Examples
    --------
    >>> x = np.linspace(0, 1, 200)
    >>> grid = Grid(feature="x", place=0, numbers=np.array([0.0, 0.5, 1.0]),
    ...             values=(0.0, 0.5, 1.0), ordered=True, rug=(), counts=())
    >>> outside(np.column_stack([x, x]), grid).round(1)
    array([0. , 0.6])
    """
    cells = _cells(matrix[:, grid.place], grid)
    shares, seen = np.zeros(matrix.shape[1]), 0
    for cell in range(len(grid.numbers)):
        there = matrix[cells == cell]
        if len(there) >= _FEWEST:
            seen += 1
            shares += np.maximum(0.0, _beyond(matrix, there) - 2 / (len(there) + 1))
    shares /= max(1, seen)
    shares[grid.place] = 0.0
    return shares


def _beyond(matrix: Floats, there: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        low = np.fmin.reduce(there, axis=0)
        high = np.fmax.reduce(there, axis=0)
        found: Floats = ((matrix < low) | (matrix > high)).mean(axis=0)
    return found


def _cells(values: Floats, grid: Grid) -> NDArray[np.int64]:
    """Return which value of the grid each row is nearest to; -1 if none."""
    known = grid.numbers[~np.isnan(grid.numbers)]
    if not len(known):
        return np.full(len(values), -1)
    order = np.argsort(known, kind="stable")
    ranked = known[order]
    if grid.ordered:
        cells = order[np.searchsorted((ranked[1:] + ranked[:-1]) / 2, values)]
    else:
        place = np.minimum(np.searchsorted(ranked, values), len(ranked) - 1)
        cells = np.where(ranked[place] == values, order[place], -1)
    missing = len(grid.numbers) - 1 if len(known) < len(grid.numbers) else -1
    return np.where(np.isnan(values), missing, cells)
