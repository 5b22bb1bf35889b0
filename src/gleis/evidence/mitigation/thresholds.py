"""A threshold for each group, as a score whose 0.5 is that threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_OVER = float(np.nextafter(0.5, 1.0))


def shift(scores: Floats, thresholds: Floats) -> Floats:
    """Move scores so that being over a threshold is being over 0.5.

    Two straight lines for each threshold: 0 to 0, the threshold to 0.5, 1 to 1. The order of
    scores under one threshold stays; they are no probabilities any more.

    Parameters
    ----------
    scores : ndarray, (n_rows,)
        Between 0 and 1.
    thresholds : ndarray, (n_rows,)
        Between 0 and 1: what each row's score is held against.

    Returns
    -------
    ndarray, (n_rows,)
        Over 0.5 exactly where the score is over its threshold.

    Examples
    --------
    >>> shift(np.array([0.3, 0.6, 0.8]), np.array([0.6, 0.6, 0.6])).tolist()
    [0.25, 0.5, 0.75]
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        under = 0.5 * scores / thresholds
        over = 0.5 + 0.5 * (scores - thresholds) / (1.0 - thresholds)
    chosen = scores > thresholds
    under = np.clip(np.nan_to_num(under, nan=0.5), 0.0, 0.5)
    return np.where(chosen, np.clip(over, _OVER, 1.0), under)


class Cuts(NamedTuple):
    """What each possible threshold of one group does; (n_cuts,) each."""

    at: Floats
    """Thresholds between the scores: the first lets everyone over, the last nobody."""
    selected: Floats
    """Share of rows over it."""
    true: Floats
    """Share of class 1 over it."""
    false: Floats
    """Share of class 0 over it."""


def cuts_of(scores: Floats, labels: NDArray[np.int64]) -> Cuts:
    """Return all thresholds of one group that tell its scores apart.

    Parameters
    ----------
    scores : ndarray, (n_rows,)
    labels : ndarray of int, (n_rows,)
        0 or 1, both present.
    """
    distinct = np.unique(scores)
    at = np.concatenate([[0.0], (distinct[1:] + distinct[:-1]) / 2.0, [1.0]])
    if distinct[0] == 0.0:
        at[0] = np.nextafter(0.0, -1.0)
    true, false = share_over(scores[labels == 1], at), share_over(scores[labels == 0], at)
    return Cuts(at, share_over(scores, at), true, false)


def share_over(scores: Floats, at: Floats) -> Floats:
    """Return the share of scores over each threshold, of the shape of ``at``."""
    ordered = np.sort(scores)
    found: Floats = 1.0 - np.searchsorted(ordered, at, side="right") / max(ordered.size, 1)
    return found
