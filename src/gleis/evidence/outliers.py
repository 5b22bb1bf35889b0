"""Outlier models, fitted on training rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from gleis.contracts.contract import Contract
from gleis.contracts.outliers import MahalanobisOutliers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLAT = 1e-6
"""Directions with less variance, relative to a standardised column's 1, are left out."""


def fit_outliers(rows: pl.DataFrame, contract: Contract) -> MahalanobisOutliers:
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

    Notes
    -----
    A value seen ``n`` times in ``N`` rows has ``p = (n + 1) / (N + k + 2)`` for ``k`` known
    values: Laplace's rule [1]_, with one more value for what is missing and one for all that was
    never seen.

    References
    ----------
    .. [1] Laplace (1814). Essai philosophique sur les probabilités. The rule of succession.
    .. [2] Mahalanobis (1936). On the generalised distance in statistics. Proceedings of the
       National Institute of Sciences of India 2(1), 49-55.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression", features=(Column(name="temp", kind="number"),), target="y"
    ... )
    >>> fitted = fit_outliers(pl.DataFrame({"temp": [9.0, 11.0, None]}), contract)
    >>> fitted.mean, round(fitted.scale[0], 3)
    ((10.0,), 0.816)
    """
    names, mean, scale, whiten = _fit_numbers(rows, contract)
    surprise: dict[str, dict[str, float]] = {}
    unseen: dict[str, float] = {}
    missing: dict[str, float] = {}
    for column in contract.features:
        if column.kind == "category":
            found = _surprise(rows[column.name])
            surprise[column.name], missing[column.name], unseen[column.name] = found
    return MahalanobisOutliers(
        numbers=names,
        mean=mean,
        scale=scale,
        whiten=whiten,
        surprise=surprise,
        unseen=unseen,
        missing=missing,
        threshold=math.inf,
        rate=0.0,
    )


def _fit_numbers(
    rows: pl.DataFrame, contract: Contract
) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...], tuple[tuple[float, ...], ...]]:
    numeric = [column.name for column in contract.features if column.kind != "category"]
    matrix = np.column_stack(
        [rows[name].cast(pl.Float64).to_numpy() for name in numeric] or [np.empty((rows.height, 0))]
    )
    known = np.isfinite(matrix)
    total = np.where(known, matrix, 0.0).sum(axis=0)
    mean = total / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, matrix - mean, 0.0)
    scale = centred.std(axis=0)
    kept = scale > np.finfo(np.float64).eps * np.maximum(1.0, np.abs(mean))
    names = tuple(name for name, keep in zip(numeric, kept, strict=True) if keep)
    whiten = _whiten(centred[:, kept] / scale[kept])
    return (
        names,
        tuple(mean[kept].tolist()),
        tuple(scale[kept].tolist()),
        tuple(tuple(line) for line in whiten.tolist()),
    )


def _whiten(standard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return W, (n_numbers, n_kept), with ``cov(standard @ W)`` the identity."""
    if not standard.size:
        return np.empty((standard.shape[1], 0))
    values, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    kept = values > _FLAT
    found: NDArray[np.float64] = vectors[:, kept] / np.sqrt(values[kept])
    return found


def _surprise(values: pl.Series) -> tuple[dict[str, float], float, float]:
    """Return ``-log p`` of each known value, of a missing one and of an unseen one."""
    texts, counts = values.cast(pl.String).drop_nulls().value_counts().get_columns()
    total = len(values) + len(texts) + 2
    known = {
        text: -math.log((count + 1) / total)
        for text, count in sorted(zip(texts.to_list(), counts.to_list(), strict=True))
    }
    return known, -math.log((values.null_count() + 1) / total), -math.log(1 / total)
