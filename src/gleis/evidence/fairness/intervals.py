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
