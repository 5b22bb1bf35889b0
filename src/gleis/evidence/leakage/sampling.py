"""A part of the rows that still has whole groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.leakage.sides import Positions


def sample_rows(n_rows: int, most: int, seed: int) -> Positions:
    """Draw at most ``most`` positions, ascending.

    Examples
    --------
    >>> sample_rows(3, 10, seed=0)
    array([0, 1, 2])
    """
    if n_rows <= most:
        return np.arange(n_rows)
    drawn: Positions = np.sort(np.random.default_rng(seed).permutation(n_rows)[:most])
    return drawn


def sample_groups(groups: NDArray[np.intp], most: int, seed: int) -> Positions:
    """Draw about ``most`` positions, ascending, so that groups keep several rows each.

    Rows drawn one by one would leave many small groups with a single row, which no model can
    recognise. So groups are drawn whole; only where a few groups hold everything, some rows of
    each.

    Parameters
    ----------
    groups : ndarray of intp, (n_rows,)
        Group of each row, 0 to n_groups - 1.
    most : int
    seed : int
        Equal seeds draw equal rows.

    Examples
    --------
    >>> groups = np.repeat(np.arange(1000), 10)
    >>> len(np.unique(groups[sample_groups(groups, 500, seed=0)]))
    50
    """
    if len(groups) <= most:
        return np.arange(len(groups))
    rng = np.random.default_rng(seed)
    n_groups = int(groups.max()) + 1
    cap = max(20, most // n_groups)
    keys = rng.random(len(groups))
    order = np.lexsort((keys, groups))
    sizes = np.bincount(groups, minlength=n_groups)
    place = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = order[place < cap]
    rank = rng.permutation(n_groups)
    kept = kept[np.argsort(rank[groups[kept]], kind="stable")]
    taken = np.cumsum(np.bincount(rank[groups[kept]], minlength=n_groups))
    whole = int(np.searchsorted(taken, most, side="right"))
    count = taken[max(whole - 1, 0)]
    chosen: Positions = np.sort(kept[:count])
    return chosen
