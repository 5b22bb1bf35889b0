"""How well a figure is known: Wilson's interval of a share, and percentiles of replicates."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from gleis.evidence.weighted import Floats, ratio

_KNOWN = 0.9
"""Share of replicates in which a figure must be defined to have an interval."""


def quantile_of(level: float) -> float:
    """Return how many standard errors an interval of this coverage reaches."""
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(above: Floats, below: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of the interval of ``above / below``; NaN where ``below`` is 0.

    It stays between 0 and 1 and holds its level for small groups and rare events, too.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    J. Am. Stat. Assoc. 22, p. 210.

    Examples
    --------
    >>> low, high = wilson(np.array([0.0]), np.array([10.0]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.0, 0.2775)
    """
    z2 = quantile_of(level) ** 2
    share = ratio(above, below)
    middle = ratio(above + z2 / 2, below + z2)
    inside = np.maximum(share * (1 - share) * below + z2 / 4, 0.0)
    half = ratio(np.sqrt(z2 * inside), below + z2)
    return np.minimum(middle - half, share), np.maximum(middle + half, share)


def widen_to_alike(
    values: Floats, lows: Floats, highs: Floats, alike: Floats
) -> tuple[Floats, Floats]:
    """Let the end towards equal treatment reach as far from the value as the other end does.

    A largest difference is never negative, and resamples of equal groups differ: percentiles
    alone never hold 0. The end away from equality, which gates judge, stays where it is. Of a
    ratio the two ends are factors of the value.

    Parameters
    ----------
    values, lows, highs : ndarray of float64, (n_figures,)
    alike : ndarray of float64, (n_figures,)
        0 where the figure cannot be less, 1 where it cannot be more, else NaN.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, section 13.4, where the
    percentile interval is held against its reflection.

    Examples
    --------
    >>> ends = widen_to_alike(np.array([0.2]), np.array([0.15]), np.array([0.3]), np.array([0.0]))
    >>> [round(float(end[0]), 4) for end in ends]
    [0.1, 0.3]
    """
    low = np.where(alike == 0, np.fmin(lows, np.maximum(0.0, 2 * values - highs)), lows)
    reached = np.where(lows > 0, ratio(values**2, lows), np.where(values > 0, 1.0, 0.0))
    high = np.where(alike == 1, np.fmax(highs, np.minimum(1.0, reached)), highs)
    return low, high


def percentiles(values: Floats, replicates: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of the percentile interval of each figure, widened to hold its value.

    Parameters
    ----------
    values : ndarray of float64, (n_figures,)
    replicates : ndarray of float64, (n_replicates, n_figures)
        NaN where a figure is undefined in a resample.

    Returns
    -------
    (ndarray, ndarray), each (n_figures,)
        NaN where the figure is undefined, or is in over a tenth of the resamples.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, section 13.3.
    """
    ordered = np.sort(replicates, axis=0)  # NaN comes last
    known = np.isfinite(ordered).sum(axis=0)
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        place = share * np.maximum(known - 1, 0)
        under = np.floor(place).astype(np.intp)
        over = np.minimum(under + 1, np.maximum(known - 1, 0))
        low = np.take_along_axis(ordered, under[None], axis=0)[0]
        high = np.take_along_axis(ordered, over[None], axis=0)[0]
        ends.append(low + (place - under) * (high - low))
    unknown = ~np.isfinite(values) | (known < _KNOWN * len(replicates))
    return (
        np.where(unknown, np.nan, np.fmin(ends[0], values)),
        np.where(unknown, np.nan, np.fmax(ends[1], values)),
    )
