"""A sample's columns brought to one scale, so that only their dependence is left."""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_NORMAL = NormalDist()


def normal_scores(rows: Matrix, rng: np.random.Generator) -> Matrix:
    """Replace each value by the normal quantile of its rank within its column.

    Whatever a column's own distribution is, its scores are the same numbers in another order: two
    samples differ in them only by how columns go together (their copula).

    Parameters
    ----------
    rows : ndarray of float64, (n_rows, n_columns)
        NaN, a missing value, ranks below all others.
    rng : numpy.random.Generator
        Breaks ties at random.

    Returns
    -------
    ndarray of float64, (n_rows, n_columns)
        Quantiles at ``(rank - 0.5) / n_rows``.

    References
    ----------
    .. [1] Blom (1958). Statistical Estimates and Transformed Beta-Variables, chapter 6 (normal
       scores; here with Hazen's plotting position).

    Examples
    --------
    >>> rows = np.array([[3.0], [np.nan], [700.0]])
    >>> normal_scores(rows, np.random.default_rng(0)).ravel().round(2)
    array([ 0.  , -0.97,  0.97])
    """
    n_rows = len(rows)
    ties = rng.random(rows.shape)
    known = np.where(np.isnan(rows), -np.inf, rows)
    scores = np.empty_like(known)
    quantiles = _quantiles(n_rows)
    for column in range(rows.shape[1]):
        order = np.lexsort((ties[:, column], known[:, column]))
        scores[order, column] = quantiles
    return scores


@lru_cache(maxsize=8)
def _quantiles(n_rows: int) -> Matrix:
    return np.array([_NORMAL.inv_cdf((i + 0.5) / n_rows) for i in range(n_rows)])
