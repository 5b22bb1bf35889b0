"""Mean and covariance of the numbers, frequencies of the categories."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from gleis.contracts.contract import Contract
from gleis.contracts.outliers import MahalanobisOutliers
from gleis.evidence.outliers.columns import numbers_of, surprises_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLAT = 1e-6
"""Directions with less variance, relative to a standardised column's 1, are left out."""


def fit_mahalanobis(rows: pl.DataFrame, contract: Contract) -> MahalanobisOutliers:
    """Fit the mean and covariance of the numbers and the frequencies of the categories.

    Parameters
    ----------
    rows : polars.DataFrame, (n_rows, ...)
        Training rows with the contract's features. A missing number counts as the mean. Columns
        that do not vary say nothing and are left out; so are directions in which columns repeat
        each other, as their rounding errors would count as distance.
    contract : Contract

    Returns
    -------
    MahalanobisOutliers
        Without a threshold yet (infinite, rate 0): whoever calibrates it sets both.

    References
    ----------
    .. [1] Mahalanobis (1936). On the generalised distance in statistics. Proceedings of the
       National Institute of Sciences of India 2(1), 49-55.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression", features=(Column(name="temp", kind="number"),), target="y"
    ... )
    >>> fitted = fit_mahalanobis(pl.DataFrame({"temp": [9.0, 11.0, None]}), contract)
    >>> fitted.mean, round(fitted.scale[0], 3)
    ((10.0,), 0.816)
    """
    names, matrix = numbers_of(rows, contract)
    known = np.isfinite(matrix)
    # In a unit of their own, squares of huge numbers do not overflow; a power of 2 rounds nothing.
    unit = np.exp2(np.frexp(np.where(known, np.abs(matrix), 0.0).max(axis=0, initial=1.0))[1] - 1.0)
    matrix = matrix / unit
    mean = np.where(known, matrix, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, matrix - mean, 0.0)
    scale = centred.std(axis=0)
    kept = scale * unit > np.finfo(np.float64).eps * np.maximum(1.0, np.abs(mean * unit))
    whiten = _whiten(centred[:, kept] / scale[kept])
    mean, scale, matrix = mean * unit, scale * unit, matrix * unit
    return MahalanobisOutliers(
        numbers=tuple(name for name, keep in zip(names, kept, strict=True) if keep),
        mean=tuple(mean[kept].tolist()),
        scale=tuple(scale[kept].tolist()),
        whiten=tuple(tuple(line) for line in whiten.tolist()),
        low=tuple(np.nanmin(matrix[:, kept], axis=0).tolist()),
        high=tuple(np.nanmax(matrix[:, kept], axis=0).tolist()),
        **surprises_of(rows, contract),
        threshold=math.inf,
        rate=0.0,
    )


def _whiten(standard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return W, (n_numbers, n_kept), with ``cov(standard @ W)`` the identity."""
    if not standard.size:
        return np.empty((standard.shape[1], 0))
    values, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    kept = values > _FLAT
    found: NDArray[np.float64] = vectors[:, kept] / np.sqrt(values[kept])
    return found
