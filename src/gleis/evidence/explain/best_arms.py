"""Which of several shares are the greatest, with as few draws as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_HALVINGS = 20
_TINY = 1e-12


class Arms(NamedTuple):
    """What was found out about each arm."""

    hits: Array
    """(n_arms,)."""
    draws: Array
    """(n_arms,)."""

    @property
    def means(self) -> Array:
        """(n_arms,) share of hits."""
        found: Array = self.hits / np.maximum(self.draws, 1)
        return found


def divergence(p: Array, q: Array) -> Array:
    r"""Return :math:`p \log \frac p q + (1 - p) \log \frac{1 - p}{1 - q}`, elementwise, in nats."""
    p, q = np.clip(p, _TINY, 1 - _TINY), np.clip(q, _TINY, 1 - _TINY)
    found: Array = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return found


def reaches(means: Array, level: Array, *, up: bool) -> Array:
    """Return the farthest shares whose divergence from ``means`` is at most ``level``.

    Parameters
    ----------
    means : ndarray, (n_arms,)
        In [0, 1].
    level : ndarray, (n_arms,)
        In nats, at least 0.
    up : bool
        The greatest such share, else the least.

    Examples
    --------
    >>> reaches(np.array([0.5]), np.array([0.0]), up=True).round(6).tolist()
    [0.5]
    """
    near, far = means.astype(float), np.full(len(means), 1.0 if up else 0.0)
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        beyond = divergence(means, middle) > level
        near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
    return far


def best_arms(
    draw: Callable[[Array, int], Array],
    n_arms: int,
    top: int,
    *,
    tolerance: float,
    error: float,
    batch: int,
    rounds: int,
) -> Arms:
    r"""Draw until the ``top`` arms are known (KL-LUCB), or for so many rounds.

    Each round draws from the arm among the best whose lower bound is least, and from the arm among
    the others whose upper bound is greatest; it stops when they are at most ``tolerance`` apart.
    Bounds are :math:`\{q : n_a \, d(\hat p_a, q) \le \beta(t)\}` with
    :math:`\beta(t) = \log(k K t^{1.1} / \delta) + \log \log(k K t^{1.1} / \delta)`, :math:`k =
    405.5`, of :math:`K` arms, which hold for all arms and rounds together with chance
    :math:`1 - \delta`.

    Parameters
    ----------
    draw : callable (arms, n) -> hits
        Draws ``n`` times from each of ``arms``, (n_drawn,), and returns hits, (n_drawn,).
    n_arms, top : int
    tolerance : float
        How much worse than a best one a chosen arm may be.
    error : float
        The chance, in (0, 1), that one is worse.
    batch : int
        Draws at a time.
    rounds : int
        At most so many; then the means decide.

    References
    ----------
    Kaufmann, E., Kalyanakrishnan, S. (2013). Information complexity in bandit subset selection.
    COLT, algorithm 1 and theorem 2.
    """
    hits = draw(np.arange(n_arms), batch).astype(float)
    draws = np.full(n_arms, float(batch))
    for t in range(1, rounds + 1 if n_arms > top else 1):
        means = hits / draws
        order = np.argsort(means, kind="stable")
        rest, best = order[:-top], order[-top:]
        beta = np.log(405.5 * n_arms * t**1.1 / error)
        beta += np.log(beta)
        above = reaches(means[rest], beta / draws[rest], up=True)
        below = reaches(means[best], beta / draws[best], up=False)
        if above.max() - below.min() <= tolerance:
            break
        unsure = np.array([rest[above.argmax()], best[below.argmin()]])
        hits[unsure] += draw(unsure, batch)
        draws[unsure] += batch
    return Arms(hits, draws)
