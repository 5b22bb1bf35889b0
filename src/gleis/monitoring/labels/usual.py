"""What share of a day's answers usually has a label, and how surprising another one is."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST = 2_000
"""A day of more answers is judged as if it had so many: days differ more than answers do."""
_MEANS = 1.0 / (1.0 + np.exp(-np.linspace(-6.0, 6.0, 25)))
_SIZES = np.exp(np.linspace(math.log(2.0), math.log(2_000.0), 10))
_ODD = np.array([0.003, 0.01, 0.03, 0.1])
"""Shares of odd days that may be."""
_ODD_LAW = (2.0, 2.0)


class Usual(msgspec.Struct, kw_only=True):
    """The shares of past days, as draws from one law that is learned from them.

    A day of ``n`` answers has ``K`` labels, ``K ~ Binomial(n, P)``, ``P ~ Beta(m s, (1 - m) s)``
    [1]_: ``m`` is the usual share, ``s`` says how alike days are. One day in ``1 / e`` is odd:
    a storm cancels flights, which then have no delay. Its ``P ~ Beta(2, 2)`` may be anything but
    hardly nothing at all. None of ``m``, ``s``, ``e`` is known; their posterior on a grid, under a
    flat prior in logit(m), log(s), log(e), gives the probability of a day [2]_. Days are taken to
    be exchangeable; answers of a day need not be alike.

    References
    ----------
    .. [1] Skellam (1948). A probability distribution derived from the binomial distribution by
       regarding the probability of success as variable between the sets of trials. JRSS B 10(2),
       equation 3.
    .. [2] Gelman et al. (2013). Bayesian Data Analysis, 3rd ed., section 5.3, and 22.1 for the
       mixture.

    Examples
    --------
    >>> usual = Usual()
    >>> for labelled in (97, 95, 99, 96, 98, 97, 96):
    ...     usual.learn(100, labelled)
    >>> round(usual.share, 2), usual.tail(100, 0) < 1e-3, usual.tail(100, 96) > 0.2
    (0.97, True, True)
    """

    days: int = 0
    answered: int = 0
    labelled: int = 0
    logs: list[float] = []
    """Logarithm of the posterior at each point of the grid, up to a constant."""

    @property
    def share(self) -> float:
        """Labels among the answers of all past days; NaN before the first."""
        return self.labelled / self.answered if self.answered else math.nan

    def learn(self, answered: int, labelled: int) -> None:
        """Add a day."""
        n, k = _thin(answered, labelled)
        usual = np.exp([_log_likelihood(n, k, a, b) for a, b in _grid()])
        odd = math.exp(_log_likelihood(n, k, *_ODD_LAW))
        seen = np.log(np.outer(1.0 - _ODD, usual) + (_ODD * odd)[:, None]).ravel()
        after = seen + np.array(self.logs) if self.logs else seen
        self.logs = (after - after.max()).tolist()
        self.days += 1
        self.answered += answered
        self.labelled += labelled

    def tail(self, answered: int, labelled: int) -> float:
        """Return the probability that a day has so few labels or fewer; 1 before the first day."""
        if not self.logs:
            return 1.0
        n, k = _thin(answered, labelled)
        laws = [*_grid(), _ODD_LAW]
        a, b = np.array(laws).T
        none = np.array([_log_likelihood(n, 0, *pair) for pair in laws])
        j = np.arange(k, dtype=np.float64)[:, None]
        steps = np.log((n - j) / (j + 1.0)) + np.log((j + a) / (n - j - 1.0 + b))
        logs = none + np.concatenate((np.zeros((1, len(a))), np.cumsum(steps, axis=0)))
        chances = np.minimum(np.exp(logs).sum(axis=0), 1.0)
        mixed = np.outer(1.0 - _ODD, chances[:-1]) + (_ODD * chances[-1])[:, None]
        weights = np.exp(np.array(self.logs))
        return float((weights * mixed.ravel()).sum() / weights.sum())


def surely_below(share: float, answered: int, labelled: int) -> float:
    """Bound the probability of so few labels if each answer had one with probability ``share``.

    ``exp(-n KL(k / n, share))``, 1 where ``k / n`` is not below.

    References
    ----------
    .. [1] Hoeffding (1963). Probability inequalities for sums of bounded random variables. JASA
       58(301), theorem 1, equation 2.1.

    Examples
    --------
    >>> surely_below(0.5, 10, 0) == 0.5**10, surely_below(0.5, 10, 6)
    (True, 1.0)
    """
    seen = labelled / answered if answered else share
    if seen >= share:
        return 1.0
    gap = (1.0 - seen) * math.log((1.0 - seen) / (1.0 - share))
    gap += seen * math.log(seen / share) if seen > 0 else 0.0
    return math.exp(-answered * gap)


def _thin(answered: int, labelled: int) -> tuple[int, int]:
    if answered <= _MOST:
        return answered, labelled
    return _MOST, round(labelled / answered * _MOST)


def _grid() -> list[tuple[float, float]]:
    return [(float(m * s), float((1.0 - m) * s)) for m in _MEANS for s in _SIZES]


def _log_likelihood(n: int, k: int, a: float, b: float) -> float:
    """Logarithm of B(a + k, b + n - k) / B(a, b)."""
    return _log_beta(a + k, b + n - k) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
