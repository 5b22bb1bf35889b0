"""Weighted sums over rows: the form every metric takes, so that a bootstrap is fast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Row weights ``(n_replicates, n_rows)`` -> values ``(n_replicates,)``; NaN where undefined."""
Formula = Callable[[NDArray[np.generic], Floats], Statistic]
"""``(y, scores)`` -> statistic; sorting and per-row terms are done once, here."""


def ratio(above: Floats, below: Floats) -> Floats:
    """Divide; NaN where ``below`` is 0.

    Examples
    --------
    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    out: Floats = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=out, where=below != 0)
    return out


def mean_of(terms: Floats) -> Statistic:
    """Return the weighted mean of per-row terms, ``sum(w * t) / sum(w)``.

    Parameters
    ----------
    terms : ndarray of float64, (n_rows,)

    Examples
    --------
    >>> mean_of(np.array([1.0, 3.0]))(np.array([[1.0, 1.0], [3.0, 1.0]]))
    array([2. , 1.5])
    """
    return lambda weights: ratio(sum_of(terms)(weights), weights.sum(axis=1))


def sum_of(terms: Floats) -> Statistic:
    """Return the weighted sum of per-row terms, ``sum(w * t)``.

    Parameters
    ----------
    terms : ndarray of float64, (n_rows,)

    Examples
    --------
    >>> sum_of(np.array([1.0, 3.0]))(np.array([[1.0, 1.0], [3.0, 1.0]]))
    array([4., 6.])
    """
    # Not `@`: its threads wait for one another whenever the other core is busy serving, and
    # their number would change the last digit of a figure.
    return lambda weights: np.einsum("rn,n->r", weights, terms)


def sums_by(groups: NDArray[np.intp], n_groups: int, terms: Floats) -> Statistic:
    """Return weighted sums of per-row terms by group, (n_replicates, n_groups).

    Parameters
    ----------
    groups : ndarray of intp, (n_rows,)
        Group of each row, 0 to ``n_groups - 1``.
    n_groups : int
    terms : ndarray of float64, (n_rows,)

    Examples
    --------
    >>> sums_by(np.array([0, 1, 1]), 2, np.array([1.0, 2.0, 3.0]))(np.ones((1, 3)))
    array([[1., 5.]])
    """
    return lambda weights: np.array([np.bincount(groups, w * terms, n_groups) for w in weights])
