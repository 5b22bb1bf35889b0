"""What a change of the scores is expected to do to the mean loss, the rest being as it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from gleis.contracts.estimation import ClassEstimation, Estimation, ValueEstimation
from gleis.evidence.estimation.class_sums import ClassSums
from gleis.evidence.estimation.days import LEAST
from gleis.evidence.estimation.estimate import Sums, add_up
from gleis.evidence.weighted import Floats


class Rise(NamedTuple):
    """Difference of the expected mean loss to that of the test rows."""

    value: float
    """Log loss, or mean squared error; positive is worse."""
    chance: float
    """Its variance, as of rows that are drawn one by one, and of the finite test rows."""
    days: float
    """Its variance, as days differ."""
    freedom: float
    """Degrees of freedom of ``days``."""
    rows: float

    def bound(self, level: float) -> float:
        """Return the value that the difference exceeds with a probability of ``1 - level``.

        ``level`` below 1/2 gives a lower bound.
        """
        below = level < 0.5
        far = 1.0 - level if below else level
        normal, student = float(ndtri(far)), float(stdtrit(self.freedom, far))
        reach = math.sqrt(normal**2 * self.chance + student**2 * self.days)
        return self.value - reach if below else self.value + reach

    def evidence(self, least: float) -> float:
        """Return minus log10 of the level at which the difference is surely above ``least``."""
        low, high = 0.0, 300.0
        if self.bound(0.5) <= least:
            return 0.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.bound(10**-middle) > least else (low, middle)
        return low


def expected_rise(days: Sequence[Sums], estimation: Estimation) -> Rise:
    r"""Return how far the expected loss of these rows is from that of the test rows.

    Both are weighed with what the same test rows say a score, or a leaf, is worth, so most of what
    is unsure about that cancels: with cells :math:`c` of :math:`n_c` test rows and :math:`d` the
    difference of the loss's derivatives by the classes' shares :math:`p`, the variance is
    :math:`\sum_c (\sum_j p_{cj} d_{cj}^2 - (\sum_j p_{cj} d_{cj})^2) / n_c`. Added are:

    - that of the rows' mean, by days: :math:`K / (K - 1) \sum_k (m_k / m)^2 (L_k - L)^2`, at least
      as of rows that have nothing in common; and that of the test rows' mean, likewise;
    - what days have in common beyond their scores (`Days.spread`, :math:`\tau`), of these
      :math:`K` days and of the :math:`K_0` test days:
      :math:`\tau^2 (\partial L / \partial \delta)^2 (1 / K + 1 / K_0)`.

    Parameters
    ----------
    days : sequence of Sums
        Of each day its rows; at least one row in all.
    estimation : Estimation

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, section 21.5: the delta
    method. Liang, K.-Y. & Zeger, S. (1986). Longitudinal data analysis using generalized linear
    models. Biometrika 73: variances of means by cluster.
    """
    if isinstance(estimation, ClassEstimation):
        moved = _classes([day for day in days if isinstance(day, ClassSums)], estimation)
    else:
        moved = _values(np.array(days, dtype=np.float64), estimation)
    chance, common, freedom = _sampling(moved, estimation.days.score_spread)
    chance += moved.each / sum(estimation.rows)
    tested = estimation.days.count
    if tested >= LEAST:
        share = moved.sizes / moved.sizes.sum()
        known = float((share**2).sum()) + 1.0 / tested
        common += known * float(((moved.slopes * np.asarray(estimation.days.spread)) ** 2).sum())
        common += estimation.days.score_spread**2 / tested
        freedom = min(freedom, tested - 1)
    return Rise(moved.value, moved.learned + chance, common, freedom, float(moved.sizes.sum()))


class _Moved(NamedTuple):
    """A difference of mean losses, and what its variance is made of."""

    value: float
    learned: float
    """Variance from the finite test rows."""
    sizes: Floats
    """Rows by day."""
    means: Floats
    """Expected mean loss by day."""
    each: float
    """Variance of the expected loss between rows."""
    slopes: Floats
    """Derivative of the mean loss by what days have in common, as ``Days.spread`` has it."""


def _classes(days: Sequence[ClassSums], estimation: ClassEstimation) -> _Moved:
    total = add_up(days)
    shares, losses = np.asarray(estimation.shares), np.asarray(estimation.losses)
    tested = np.asarray(estimation.rows, dtype=np.float64)
    now, then = _each(total.table[0], total.table[1]), _each(shares, losses)
    now, then = np.where(np.isnan(now), then, now), np.where(np.isnan(then), now, then)
    now, then = np.nan_to_num(now), np.nan_to_num(then)
    weight, before = total.rows / total.size, tested / tested.sum()
    slope = weight[:, None] * now - before[:, None] * then
    count = np.maximum(tested, 1.0)
    likely = shares / count[:, None]
    spread = (likely * slope**2).sum(axis=1) - (likely * slope).sum(axis=1) ** 2
    mean = total.table[1].sum() / total.size
    present = np.nan_to_num(_each(np.broadcast_to(total.rows[:, None], now.shape), total.table[0]))
    own = (present * now).sum(axis=1, keepdims=True)
    slopes = (weight[:, None] * present * (now - own)).sum(axis=0)
    return _Moved(
        value=float(mean - losses.sum() / tested.sum()),
        learned=float((np.maximum(spread, 0.0) / count).sum()),
        sizes=np.array([day.size for day in days]),
        means=np.array([day.table[1].sum() / max(day.size, 1.0) for day in days]),
        each=max(0.0, total.spread / total.size - float(mean) ** 2),
        slopes=slopes[-len(estimation.days.spread) :],
    )


def _values(leaves: Floats, estimation: ValueEstimation) -> _Moved:
    squared, sizes = np.asarray(estimation.squared), leaves.sum(axis=1)
    share = leaves.sum(axis=0) / leaves.sum()
    moved = share - np.asarray(estimation.rows) / sum(estimation.rows)
    known = np.asarray(estimation.squared_m2) / np.maximum(estimation.rows, 1)
    mean = float(share @ squared)
    return _Moved(
        value=float(moved @ squared),
        learned=float((moved**2 * known).sum()),
        sizes=sizes,
        means=leaves @ squared / np.maximum(sizes, 1.0),
        each=max(0.0, float(share @ squared**2) - mean**2),
        slopes=np.array([mean]),
    )


def _each(rows: Floats, sums: Floats) -> Floats:
    found: Floats = np.full(rows.shape, np.nan)
    np.divide(sums, rows, out=found, where=rows > 0)
    return found


def _sampling(moved: _Moved, spread: float) -> tuple[float, float, float]:
    """Variance of a mean as of single rows, or else as of days, and what that is known from."""
    rows, days = float(moved.sizes.sum()), int((moved.sizes > 0).sum())
    own, part = moved.each / rows, moved.sizes / rows
    if days < LEAST:
        return own, spread**2 * float((part**2).sum()), LEAST - 1
    mean = float(part @ moved.means)
    clustered = days / (days - 1) * float((part**2 * (moved.means - mean) ** 2).sum())
    return (0.0, clustered, days - 1) if clustered > own else (own, 0.0, days - 1)
