"""Confidence sequences: intervals for a mean that hold at every moment, however often one looks."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind = Literal["bounded", "asymptotic"]

_ETA = 2.0
"""The stitched boundary's epochs double; with `_POWER` as Howard et al. chose for their figures."""
_POWER = 1.4
_ZETA = 3.1055472779775811
"""Riemann's zeta function at ``_POWER``."""


def normal_mixture_boundary(count: float, alpha: float, best_at: float) -> float:
    """Bound sums of values of variance one, on one side and at all times.

    Parameters
    ----------
    count : float
        Sum of the variances so far, >= 0.
    alpha : float
        Probability that a sum of centred values ever crosses, (0, 1).
    best_at : float
        The count at which the boundary is tightest, > 0; it must not depend on the values.

    References
    ----------
    .. [1] Howard, Ramdas, McAuliffe, Sekhon (2021). Time-uniform, nonparametric, nonasymptotic
       confidence sequences. Annals of Statistics 49(2), section 3.2: one-sided normal mixture, its
       closed-form upper bound; section 3.5: the choice of the parameter.

    Examples
    --------
    >>> round(normal_mixture_boundary(1000, 0.05, 1000) / 1000**0.5, 2)
    2.78
    """
    level = -2.0 * math.log(2.0 * alpha) if alpha < 0.5 else 2.0 * math.log(2.0)
    rho = best_at / (level + math.log(1.0 + level))
    root = math.sqrt((count + rho) / rho)
    return math.sqrt(2.0 * (count + rho) * math.log1p(root / (2.0 * alpha)))


def stitched_boundary(variance: float, alpha: float, scale: float, since: float) -> float:
    """Bound sums of values that are sub-gamma with ``scale``, on one side and at all times.

    Parameters
    ----------
    variance : float
        Sum of the (empirical) variances so far, >= 0.
    alpha : float
        Probability that a sum of centred values ever crosses, (0, 1).
    scale : float
        Width of the interval the values lie in, > 0.
    since : float
        Variance from which on the boundary is tight, > 0.

    References
    ----------
    .. [1] Howard et al. (2021), as above: Theorem 1 with equation (10), eta = 2, s = 1.4.
    """
    v = max(variance, since)
    loglog = _POWER * math.log(math.log(_ETA * v / since))
    size = loglog + math.log(_ZETA / (alpha * math.log(_ETA) ** _POWER))
    k1 = (_ETA**0.25 + _ETA**-0.25) / math.sqrt(2.0)
    k2 = (math.sqrt(_ETA) + 1.0) / 2.0
    linear = k2 * scale * size
    return math.sqrt(k1 * k1 * v * size + linear * linear) + linear


class MeanSequence(msgspec.Struct, kw_only=True):
    """Bounds for the average of the conditional means of values that come one by one.

    ``bounded``: exact for values within ``low`` and ``high``, whatever their distribution and
    however their means change (Howard et al. 2021, Theorem 4: the variance is that around the mean
    of the values before). ``asymptotic``: for values without bounds but with more than two
    moments; holds as ``best_at`` grows (Waudby-Smith et al. 2024, Theorem 2.5), so it must not be
    used on the first few values.

    Parameters
    ----------
    low, high : float, optional
        What every value lies between; both or neither.
    best_at : float
        Number of values at which the asymptotic bounds are tightest.

    References
    ----------
    .. [1] Howard et al. (2021), Theorem 4 (empirical Bernstein).
    .. [2] Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024). Time-uniform central limit theory
       and asymptotic confidence sequences. Annals of Statistics 52(6), Theorem 2.5 and, for one
       side, appendix B.

    Examples
    --------
    >>> sequence = MeanSequence(low=0.0, high=1.0)
    >>> sequence.update(np.random.default_rng(0).random(5000))
    >>> 0.45 < sequence.lower(0.05) < sequence.mean < sequence.upper(0.05) < 0.55
    True
    """

    low: float | None = None
    high: float | None = None
    best_at: float = 1000.0
    count: int = 0
    total: float = 0.0
    variance: float = 0.0
    """Sum of squared distances to the mean of the values before."""

    @property
    def kind(self) -> Kind:
        """Whether the bounds are exact or asymptotic."""
        return "asymptotic" if self.low is None or self.high is None else "bounded"

    @property
    def mean(self) -> float:
        """Mean of the values; NaN before the first."""
        return self.total / self.count if self.count else math.nan

    def update(self, values: Floats) -> None:
        """See values, (n,), in their order; seeing them in parts gives the same."""
        if not len(values):
            return
        sums = self.total + np.concatenate(([0.0], np.cumsum(values)))
        counts = self.count + np.arange(len(values))
        before = np.where(counts > 0, sums[:-1] / np.maximum(counts, 1), self._start(values[0]))
        self.variance += float(((values - before) ** 2).sum())
        self.count += len(values)
        self.total = float(sums[-1])

    def lower(self, alpha: float) -> float:
        """Return a bound that lies above the mean, ever, with probability at most ``alpha``."""
        return self.mean - self._width(alpha) if self.count else -math.inf

    def upper(self, alpha: float) -> float:
        """Return a bound that lies below the mean, ever, with probability at most ``alpha``."""
        return self.mean + self._width(alpha) if self.count else math.inf

    def _start(self, first: float) -> float:
        """Guess the mean before the first value; without bounds its distance counts for nothing."""
        if self.low is None or self.high is None:
            return float(first)
        return (self.low + self.high) / 2.0

    def _width(self, alpha: float) -> float:
        if self.low is None or self.high is None:
            deviation = math.sqrt(self.variance / self.count)
            boundary = deviation * normal_mixture_boundary(self.count, alpha, self.best_at)
        else:
            scale = self.high - self.low
            boundary = stitched_boundary(self.variance, alpha, scale, scale * scale)
        return boundary / self.count
