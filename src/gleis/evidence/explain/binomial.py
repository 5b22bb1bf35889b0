"""Exact intervals of a share."""

from __future__ import annotations

from functools import lru_cache
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.figure import Figure

_HALVINGS = 60


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share.

    Parameters
    ----------
    hits : int
        From 0 to ``n``.
    n : int
        Number of independent draws.
    level : float
        Chance, in (0, 1), that the interval holds the share; each end errs with half of the rest.

    Returns
    -------
    low, high : float
        (0, 1) if ``n`` is 0.

    References
    ----------
    Clopper, C. J., Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in
    the case of the binomial. Biometrika 26, 404-413.

    Examples
    --------
    >>> low, high = clopper_pearson(19, 20)
    >>> round(low, 4), round(high, 4)
    (0.7513, 0.9987)
    """
    tail = (1 - level) / 2
    return least_share(hits, n, 1 - tail), 1 - least_share(n - hits, n, 1 - tail)


def least_share(hits: int, n: int, level: float) -> float:
    """Return what a share is at least, with chance ``level``: the one-sided exact bound.

    It is the share at which ``hits`` or more of ``n`` have chance 1 - ``level``.

    Examples
    --------
    >>> round(least_share(59, 59, 0.95), 4)
    0.9505
    """
    if hits <= 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _chance_of_at_least(hits, n, middle) > 1 - level:
            high = middle
        else:
            low = middle
    return low


def share(hits: int, n: int, level: float = 0.95) -> Figure:
    """Return a share with its exact interval; see ``clopper_pearson``."""
    low, high = clopper_pearson(hits, n, level)
    return Figure(value=hits / n if n else 0.0, low=low, high=high, level=level)


def _chance_of_at_least(hits: int, n: int, p: float) -> float:
    if p <= 0.0 or p >= 1.0:
        return float(p >= 1.0)
    k = np.arange(hits, n + 1)
    logs = _log_choices(n)[hits:] + k * np.log(p) + (n - k) * np.log1p(-p)
    return float(np.exp(logs).sum())


@lru_cache(maxsize=8)
def _log_choices(n: int) -> NDArray[np.float64]:
    """Return log(n choose k) for k from 0 to n."""
    logs = np.array([lgamma(k + 1) for k in range(n + 1)])
    found: NDArray[np.float64] = logs[-1] - logs - logs[::-1]
    return found
