"""One false-alarm probability for a test that is repeated, look after look."""

from __future__ import annotations

import math


def spend(alpha: float, look: int) -> float:
    """Return the level of one look, so that all looks together stay within ``alpha``.

    ``alpha * 6 / (pi * look)**2``: the levels add up to ``alpha`` over infinitely many looks, and
    the union bound holds however they depend on each other. A test that is valid at one moment
    only, such as a two-sample test of a window, may so be repeated for ever.

    Parameters
    ----------
    alpha : float
        0 < alpha < 1, for all looks together.
    look : int
        Number of the look since the test began, from 1.

    References
    ----------
    .. [1] Foster, Stine (2008). Alpha-investing: a procedure for sequential control of expected
       false discoveries, section 2 (spending as the special case that earns nothing).

    Examples
    --------
    >>> round(spend(0.05, 1), 4), sum(spend(0.05, k) for k in range(1, 10_000)) < 0.05
    (0.0304, True)
    """
    return alpha * 6.0 / (math.pi * look) ** 2
