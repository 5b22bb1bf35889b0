"""Metrics of probabilities: how far they are from what happened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.losses import log_losses
from gleis.evidence.weighted import Floats, Statistic, mean_of, ratio, sums_by

_BINS = 15


def log_loss(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Mean of ``-log p(what happened)`` in nats; 0 is perfect, log(2) a coin's.

    References
    ----------
    Good, I. J. (1952). Rational decisions. J. R. Statist. Soc. B 14, section 8.
    """
    return mean_of(log_losses(y, scores))


def brier(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Mean squared error of the probabilities.

    Binary: ``mean((p - y)^2)``, 0 to 1. Multiclass: ``mean(sum_k (p_k - [y = k])^2)``, 0 to 2.

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability.
    Monthly Weather Review 78, eq. 2.
    """
    if scores.ndim == 1:
        return mean_of((scores - y.astype(np.float64)) ** 2)
    truth = y.astype(np.intp)[:, None] == np.arange(scores.shape[1])
    return mean_of(((scores - truth) ** 2).sum(axis=1))


def expected_calibration_error(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Mean gap between the score and the share of positives, over 15 bins of equal width.

    ``sum_b (w_b / w) |observed_b - predicted_b|``, 0 to 1. It is never negative, so a resample
    shows more of it than there is: its intervals lean high.

    References
    ----------
    Guo, C. et al. (2017). On calibration of modern neural networks. ICML, eq. 3, with the
    probability of class 1 in the place of the confidence.
    """
    bins = np.clip(np.ceil(scores * _BINS) - 1, 0, _BINS - 1).astype(np.intp)
    gaps = sums_by(bins, _BINS, y.astype(np.float64) - scores)
    return lambda weights: ratio(np.abs(gaps(weights)).sum(axis=1), weights.sum(axis=1))
