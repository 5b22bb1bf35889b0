"""Is the challenger better? A confidence sequence for its gain, under shares that may change."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.monitoring.confidence_sequence import MeanSequence

Floats = NDArray[np.float64]


class Arm(msgspec.Struct, kw_only=True):
    """What one version's rows showed."""

    rows: int = 0
    total: float = 0.0
    squares: float = 0.0
    weight: float = 0.0
    """Sum of 1 / propensity."""
    weighted: float = 0.0
    """Sum of value / propensity."""

    @property
    def mean(self) -> float:
        """Mean of its rows; NaN without any."""
        return self.total / self.rows if self.rows else math.nan

    @property
    def weighted_mean(self) -> float:
        """Mean over all rows, had this version answered them all (Hajek's estimate)."""
        return self.weighted / self.weight if self.rows else math.nan

    @property
    def variance(self) -> float:
        """Variance of its rows; NaN with fewer than two."""
        if self.rows < 2:
            return math.nan
        return max(self.squares - self.total**2 / self.rows, 0.0) / (self.rows - 1)

    def see(self, values: Floats, shares: Floats) -> None:
        """Add rows and the probabilities with which they came here."""
        self.rows += len(values)
        self.total += float(values.sum())
        self.squares += float((values**2).sum())
        self.weight += float((1.0 / shares).sum())
        self.weighted += float((values / shares).sum())


class Comparison(msgspec.Struct, kw_only=True):
    """Compares two versions by a metric of rows.

    Of rows that only one of the two answered, each is worth
    ``m1 - m0 + A (x - m1) / p - (1 - A) (x - m0) / (1 - p)``: ``A`` says whether the challenger
    answered, ``p`` is the probability with which it was to, ``m1`` and ``m0`` are the versions'
    means over the rows before. Whatever happened before, its expectation is the difference of the
    two versions on that row, though shares change as in a bandit; the means only take away noise.
    Of rows that both answered (a shadow) it is the difference itself. A `MeanSequence` bounds the
    average.

    Parameters
    ----------
    higher : bool
        Whether more of the metric is better.
    least : float
        Smallest propensity, (0, 0.5]; rows with a smaller one are passed over.
    bounds : (float, float), optional
        Smallest and largest value of the metric; without, the bounds are asymptotic.

    References
    ----------
    .. [1] Robins, Rotnitzky, Zhao (1994). Estimation of regression coefficients when some
       regressors are not always observed. JASA 89 (the augmented inverse-propensity estimate).
    .. [2] Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024). Time-uniform central limit theory
       and asymptotic confidence sequences. Annals of Statistics 52(6), section 3 (sequential
       experiments).

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> answered = draw.random(4000) < 0.5
    >>> loss = np.where(answered, 0.2, 0.4) + draw.normal(0, 0.1, 4000)
    >>> comparison = Comparison(higher=False, least=0.5)
    >>> comparison.update(loss, answered, np.full(4000, 0.5))
    >>> 0.18 < comparison.low(0.05) < 0.2 < comparison.high(0.05) < 0.22
    True
    """

    higher: bool
    least: float
    bounds: tuple[float, float] | None = None
    paired: bool = False
    best_at: float = 1000.0
    champion: Arm = msgspec.field(default_factory=Arm)
    challenger: Arm = msgspec.field(default_factory=Arm)
    sequence: MeanSequence | None = None
    skipped: int = 0
    """Rows whose propensity was below ``least``, or not random at all."""

    @property
    def gain(self) -> float:
        """Estimate of how much better the challenger is, in the metric's unit; NaN without rows."""
        return self._seen().mean

    def low(self, alpha: float) -> float:
        """Return a bound above the gain, ever, with probability at most ``alpha``."""
        return self._seen().lower(alpha)

    def high(self, alpha: float) -> float:
        """Return a bound below the gain, ever, with probability at most ``alpha``."""
        return self._seen().upper(alpha)

    def update(self, values: Floats, challenger: NDArray[np.bool_], shares: Floats) -> None:
        """See rows of either version, each (n,), in their order.

        Parameters
        ----------
        values : ndarray of float64
            The metric.
        challenger : ndarray of bool
            Whether the challenger answered.
        shares : ndarray of float64
            Probability with which the challenger was to answer.
        """
        edge = 1e-9
        usable = (shares >= self.least - edge) & (shares <= 1.0 - self.least + edge)
        self.skipped += int((~usable).sum())
        values, challenger, shares = values[usable], challenger[usable], shares[usable]
        if not len(values):
            return
        m1 = _means_before(self.challenger, values, challenger, 1.0 / shares, self._middle)
        m0 = _means_before(self.champion, values, ~challenger, 1.0 / (1.0 - shares), self._middle)
        difference = (m1 - m0) + np.where(
            challenger, (values - m1) / shares, -(values - m0) / (1.0 - shares)
        )
        self.challenger.see(values[challenger], shares[challenger])
        self.champion.see(values[~challenger], 1.0 - shares[~challenger])
        self._seen().update(difference if self.higher else -difference)

    def update_pairs(self, champion: Floats, challenger: Floats) -> None:
        """See rows that both versions answered: values of the metric, each (n,)."""
        ones = np.ones(len(champion))
        self.champion.see(champion, ones)
        self.challenger.see(challenger, ones)
        difference = challenger - champion
        self._seen().update(difference if self.higher else -difference)

    @property
    def _middle(self) -> float:
        return sum(self.bounds) / 2.0 if self.bounds else 0.0

    def _seen(self) -> MeanSequence:
        if self.sequence is None:
            low = high = None
            if self.bounds is not None:
                reach = (self.bounds[1] - self.bounds[0]) / (1.0 if self.paired else self.least)
                low, high = -reach, reach
            self.sequence = MeanSequence(low=low, high=high, best_at=self.best_at)
        return self.sequence


def _means_before(
    arm: Arm, values: Floats, own: NDArray[np.bool_], weights: Floats, start: float
) -> Floats:
    """Return an arm's weighted mean before each row, from the rows before it alone."""
    weight = arm.weight + _sums_before(np.where(own, weights, 0.0))
    total = arm.weighted + _sums_before(np.where(own, values * weights, 0.0))
    return np.where(weight > 0.0, total / np.maximum(weight, 1e-12), start)


def _sums_before(values: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(values)[:-1]))
