"""Thompson sampling: give each version the share with which it is believed to be the better one."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gleis.monitoring.comparison import Arm

_POINTS = 2001
_LEAST_ROWS = 20
"""Rows of each version before the believed shares are used."""


def probability_better(
    champion: Arm, challenger: Arm, *, higher: bool, bounds: tuple[float, float] | None
) -> float:
    """Return the posterior probability that the challenger's mean is the better one.

    A bounded metric has Beta posteriors from a uniform prior: a value at the part ``r`` of its
    range counts as ``r`` of a success, the expectation of the coin that Agrawal and Goyal toss. An
    unbounded one has normal posteriors around the means, as with many rows any prior leaves.

    Parameters
    ----------
    champion, challenger : Arm
    higher : bool
        Whether more of the metric is better.
    bounds : (float, float), optional
        Smallest and largest value of the metric.

    Returns
    -------
    float
        0.5 before both have 20 rows.

    References
    ----------
    .. [1] Thompson (1933). On the likelihood that one unknown probability exceeds another in view
       of the evidence of two samples. Biometrika 25.
    .. [2] Agrawal, Goyal (2012). Analysis of Thompson sampling for the multi-armed bandit problem.
       COLT, algorithm 2.

    Examples
    --------
    >>> good, bad = Arm(rows=100, total=80.0), Arm(rows=100, total=60.0)
    >>> round(probability_better(bad, good, higher=True, bounds=(0.0, 1.0)), 3)
    0.999
    """
    if min(champion.rows, challenger.rows) < _LEAST_ROWS:
        return 0.5
    above = _normal(champion, challenger) if bounds is None else _beta(champion, challenger, bounds)
    return above if higher else 1.0 - above


def share_to_play(better: float, least: float) -> float:
    """Return the challenger's share: the probability, but at least ``least`` for either version.

    Drawing a row's version with this probability is what Thompson sampling does with each row;
    the probability is known, so that the log can keep it as the row's propensity.

    Examples
    --------
    >>> share_to_play(0.999, 0.05), share_to_play(0.4, 0.05)
    (0.95, 0.4)
    """
    return min(max(better, least), 1.0 - least)


def _normal(champion: Arm, challenger: Arm) -> float:
    """Probability that the challenger's mean is the larger one."""
    spread = champion.variance / champion.rows + challenger.variance / challenger.rows
    difference = challenger.mean - champion.mean
    if spread <= 0.0:
        return 0.5 if difference == 0.0 else float(difference > 0.0)
    return NormalDist().cdf(difference / math.sqrt(spread))


def _beta(champion: Arm, challenger: Arm, bounds: tuple[float, float]) -> float:
    """Probability that the challenger's Beta variable is the larger one, on a fine grid."""
    shapes = [_shape(arm, bounds) for arm in (champion, challenger)]
    ends = [
        mean + side * 8.0 * deviation
        for mean, deviation in map(_spread, shapes)
        for side in (-1, 1)
    ]
    low, high = max(min(ends), 0.0), min(max(ends), 1.0)
    grid = low + (high - low) * (np.arange(_POINTS) + 0.5) / _POINTS
    ours, theirs = (_density(grid, *shape) for shape in shapes)
    below = np.cumsum(ours) - ours / 2.0
    return float((theirs * below).sum())


def _shape(arm: Arm, bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    successes = min(max((arm.total - low * arm.rows) / (high - low), 0.0), float(arm.rows))
    return successes + 1.0, arm.rows - successes + 1.0


def _spread(shape: tuple[float, float]) -> tuple[float, float]:
    """Mean and standard deviation of a Beta distribution."""
    a, b = shape
    return a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1.0)))


def _density(grid: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    logs = (a - 1.0) * np.log(grid) + (b - 1.0) * np.log1p(-grid)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
