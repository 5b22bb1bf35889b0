"""Figures of predicted numbers: by group the mean, the errors and the distribution.

References
----------
Willmott, C. J. (1982). Some comments on the evaluation of model performance. Bulletin of the
American Meteorological Society 63, eqs. 1 to 4, of the errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.fairness.comparison import (
    ABOVE_0,
    Comparison,
    Definition,
    Rates,
    difference_of,
    largest,
    ratio_of,
    worst_of,
)
from gleis.evidence.fairness.groups import Codes
from gleis.evidence.weighted import Floats, ratio

_BUCKETS = 50
"""Parts that each group's rows are dealt into by chance; whole parts are resampled."""
_POINTS = 100
"""Points at which distributions are compared."""
_SAMPLED = 10_000
_CELLS = 2**24
_MOMENTS = 8


@dataclass(frozen=True)
class Buckets:
    """Sums of moments by finest group and bucket, (n_finest, n_buckets, 8 + n_points)."""

    dealt: Floats

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Return the sums of n resamples, (n, n_finest, 8 + n_points).

        Each draws a group's buckets with replacement: a bootstrap of small random parts, which
        costs nothing per row.

        References
        ----------
        Wolter, K. M. (2007). Introduction to Variance Estimation, 2nd ed., chapter 2, the method
        of random groups.
        """
        n_finest, n_buckets, _ = self.dealt.shape
        shares = np.full(n_buckets, 1.0 / n_buckets)
        times = rng.multinomial(n_buckets, shares, size=(n, n_finest)).astype(np.float64)
        drawn: Floats = np.einsum("rgb,gbm->rgm", times, self.dealt)
        return drawn


@dataclass(frozen=True)
class Moments:
    """Sums by group with a name each.

    Parameters
    ----------
    sums : ndarray of float64, (..., n_groups, 8 + n_points)
        Rows, y, y less the mean of all rows, its square, prediction, error, |error|, error^2; then
        rows predicted at or below each point.
    """

    sums: Floats

    @property
    def rows(self) -> Floats:
        """(..., n_groups)."""
        return self.sums[..., 0]

    @property
    def below(self) -> Floats:
        """Rows predicted at or below each point, (..., n_groups, n_points)."""
        return self.sums[..., _MOMENTS:]


def deal(
    y: NDArray[np.generic], predicted: Floats, codes: Codes, n_finest: int, seed: int
) -> Buckets:
    """Add up moments by finest group and bucket.

    Parameters
    ----------
    y : ndarray, (n_rows,)
    predicted : ndarray of float64, (n_rows,)
    codes : ndarray of intp, (n_rows,)
    n_finest : int
    seed : int
        Deals the rows.
    """
    rng = np.random.default_rng(seed)
    n_buckets = max(2, min(_BUCKETS, _CELLS // (n_finest * (_MOMENTS + _POINTS))))
    cell = codes * n_buckets + rng.integers(0, n_buckets, len(y))
    size = n_finest * n_buckets
    truth = y.astype(np.float64)
    error = predicted - truth
    centred = truth - truth.mean()
    terms = (truth, centred, centred**2, predicted, error, np.abs(error), error**2)
    moments = [np.bincount(cell, minlength=size).astype(np.float64)]
    moments += [np.bincount(cell, term, size).astype(np.float64) for term in terms]
    some = predicted if len(y) <= _SAMPLED else rng.choice(predicted, _SAMPLED, replace=False)
    points = np.unique(np.quantile(some, np.arange(1, _POINTS) / _POINTS, method="lower"))
    at = np.searchsorted(points, predicted, side="left")
    wide = len(points) + 1
    table = np.bincount(cell * wide + at, minlength=size * wide).reshape(size, wide)
    below = np.cumsum(table, axis=1)[:, :-1]
    stacked = np.column_stack([*moments, below.astype(np.float64)])
    return Buckets(stacked.reshape(n_finest, n_buckets, -1))


def mean_target(m: Moments) -> Floats:
    """Mean of what happened, ``sum(y) / n``."""
    return ratio(m.sums[..., 1], m.rows)


def mean_prediction(m: Moments) -> Floats:
    """Mean of what was predicted."""
    return ratio(m.sums[..., 4], m.rows)


def mean_residual(m: Moments) -> Floats:
    """Mean of prediction less truth: above 0 the group is promised too much."""
    return ratio(m.sums[..., 5], m.rows)


def mae(m: Moments) -> Floats:
    """Mean absolute error."""
    return ratio(m.sums[..., 6], m.rows)


def mse(m: Moments) -> Floats:
    """Mean squared error."""
    return ratio(m.sums[..., 7], m.rows)


def rmse(m: Moments) -> Floats:
    """Root of the mean squared error."""
    return np.sqrt(mse(m))


def r2(m: Moments) -> Floats:
    """Share of the group's own variance that is explained; NaN where its target is constant."""
    squares = m.sums[..., 3]
    variance = squares - ratio(m.sums[..., 2] ** 2, m.rows)
    variance = np.where(variance > 1e-12 * squares, variance, 0.0)
    return 1.0 - ratio(m.sums[..., 7], variance)


RATES: Rates[Moments] = {
    rate.__name__: rate
    for rate in (mean_target, mean_prediction, mean_residual, mae, mse, rmse, r2)
}


def _distribution_gap(c: Comparison[Moments]) -> Floats:
    ours = ratio(c.sums.below, c.sums.rows[..., None])
    all_rows = ratio(c.whole.below, c.whole.rows[..., None])
    return largest(np.abs(ours - all_rows).max(axis=-1))


_CALDERS = "Calders et al. (2013), Controlling attribute effect in linear regression, ICDM, III"
_AGARWAL = "Agarwal, Dudik & Wu (2019), Fair regression, ICML"
_CHI = "Chi et al. (2021), Understanding accuracy disparity in regression, ICML, section 2"
_ANY = "0 and above, in the target's unit"

DISPARITIES: tuple[Definition[Moments], ...] = (
    difference_of("mean_prediction_difference", "mean_prediction", _CALDERS, (), _ANY),
    ratio_of("mean_prediction_ratio", "mean_prediction", _CALDERS),
    difference_of("mean_target_difference", "mean_target", _CALDERS, ("mean_difference",), _ANY),
    ratio_of("mean_target_ratio", "mean_target", _CALDERS),
    difference_of("mean_residual_difference", "mean_residual", _CALDERS, (), _ANY),
    difference_of("mae_difference", "mae", _CHI, (), _ANY),
    ratio_of("mae_ratio", "mae", _CHI),
    difference_of("mse_difference", "mse", _CHI, ("accuracy disparity",), _ANY),
    difference_of("rmse_difference", "rmse", _CHI, (), _ANY),
    ratio_of("rmse_ratio", "rmse", _CHI),
    difference_of("r2_difference", "r2", _CHI, (), ABOVE_0),
    worst_of("mae", "max", f"{_AGARWAL}, definition 2", ("mean_absolute_error_group_max",), _ANY),
    worst_of("mse", "max", f"{_AGARWAL}, definition 2", ("mean_squared_error_group_max",), _ANY),
    worst_of("rmse", "max", f"{_AGARWAL}, definition 2", (), _ANY),
    worst_of("r2", "min", f"{_AGARWAL}, definition 2", ("r2_score_group_min",), "1 and below"),
    Definition(
        "prediction_distribution_gap",
        _distribution_gap,
        "max_g,z |P(prediction <= z | g) - P(prediction <= z)|, z at 99 quantiles",
        f"{_AGARWAL}, definition 1",
        0.0,
    ),
)
