"""Which trade-offs between two costs are worth a thought: the Pareto frontier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pareto(costs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points no other point beats.

    A point is beaten by one that costs no more in both ways and less in one. Equal points are
    both kept.

    Parameters
    ----------
    costs : ndarray, (n_points, 2)
        Less is better. A point with NaN is never on the frontier.

    Returns
    -------
    ndarray of bool, (n_points,)

    Examples
    --------
    >>> pareto(np.array([[0.1, 0.3], [0.2, 0.1], [0.2, 0.3], [0.1, 0.3]])).tolist()
    [True, True, False, True]
    """
    no_more = np.all(costs[:, None] <= costs[None], axis=2)
    less = np.any(costs[:, None] < costs[None], axis=2)
    known = np.logical_not(np.any(np.isnan(costs), axis=1))
    beaten = np.any(no_more & less & known[:, None], axis=0)
    kept: NDArray[np.bool_] = np.logical_and(known, np.logical_not(beaten))
    return kept
