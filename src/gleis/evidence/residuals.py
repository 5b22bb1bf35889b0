"""Metrics of predicted values: how far they are from the true ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.weighted import Floats, Statistic, mean_of, ratio, sum_of


def mae(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Mean absolute error ``mean(|y - f|)``, in units of the target."""
    return mean_of(np.abs(y.astype(np.float64) - scores))


def rmse(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Root mean squared error ``sqrt(mean((y - f)^2))``, in units of the target."""
    squared = mean_of((y.astype(np.float64) - scores) ** 2)
    return lambda weights: np.sqrt(squared(weights))


def r2(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Share of the variance explained, ``1 - sum((y - f)^2) / sum((y - mean(y))^2)``.

    At most 1, below 0 where the mean would have done better; NaN for a constant target.

    References
    ----------
    Kvalseth, T. O. (1985). Cautionary note about R^2. The American Statistician 39, eq. 1.
    """
    truth = y.astype(np.float64)
    # Centred first: sums of squares of far-away values would lose their digits.
    centred = truth - truth.mean()
    firsts, seconds = sum_of(centred), sum_of(centred**2)
    lefts = sum_of((truth - scores) ** 2)

    def of(weights: Floats) -> Floats:
        second = seconds(weights)
        spread = second - ratio(firsts(weights) ** 2, weights.sum(axis=1))
        return 1.0 - ratio(lefts(weights), np.where(spread > 1e-12 * second, spread, 0.0))

    return of


def median_absolute_error(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Weighted median of ``|y - f|``, in units of the target: half the rows are closer.

    Where the weights split exactly in half it is the mean of the two middle errors.
    """
    errors = np.abs(y.astype(np.float64) - scores)
    order = np.argsort(errors)
    rising = errors[order]

    def of(weights: Floats) -> Floats:
        reached = np.cumsum(weights[:, order], axis=1)
        half = reached[:, -1:] / 2
        low = (reached < half).sum(axis=1)
        high = (reached <= half).sum(axis=1)
        return np.where(
            reached[:, -1] > 0,
            (rising[low] + rising[np.minimum(high, len(rising) - 1)]) / 2,
            np.nan,
        )

    return of
