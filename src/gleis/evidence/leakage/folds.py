"""Folds for scoring again: of random rows, and of whole groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Folds = NDArray[np.intp]
"""(n_rows,) the fold each row is tested in, 0, 1, ..."""


def random_folds(n_rows: int, n_folds: int, seed: int) -> Folds:
    """Deal rows out at random, to folds of equal size (give or take one).

    Examples
    --------
    >>> np.bincount(random_folds(10, 3, seed=0))
    array([4, 3, 3])
    """
    folds: Folds = np.random.default_rng(seed).permutation(n_rows) % n_folds
    return folds


def group_folds(groups: NDArray[np.intp], n_folds: int) -> Folds:
    """Deal whole groups out, the largest first, each to the fold that has the fewest rows.

    The same folds as scikit-learn's ``GroupKFold``. With fewer groups than folds every group is
    a fold.

    Parameters
    ----------
    groups : ndarray of intp, (n_rows,)
        Group of each row, 0 to n_groups - 1.
    n_folds : int

    Examples
    --------
    >>> group_folds(np.array([0, 0, 0, 1, 2, 2]), 2)
    array([0, 0, 0, 1, 1, 1])
    """
    sizes = np.bincount(groups)
    load = np.zeros(min(n_folds, len(sizes)), dtype=np.int64)
    fold_of = np.zeros(len(sizes), dtype=np.intp)
    for group in np.argsort(sizes, kind="stable")[::-1]:
        lightest = int(np.argmin(load))
        load[lightest] += sizes[group]
        fold_of[group] = lightest
    return fold_of[groups]
