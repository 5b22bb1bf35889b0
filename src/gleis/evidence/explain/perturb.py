"""Rows like one row, and rows that a rule holds of: what a model is asked in its stead."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Neighbours(NamedTuple):
    """Rows around a row; the first one is the row itself."""

    rows: Array
    """(n, n_features)."""
    same: Array
    """(n, n_features) bool: counts as the row's own value does."""


def neighbours(
    row: Array,
    background: Array,
    alike: Array,
    varies: Array,
    *,
    count: int,
    kept: float,
    draw: np.random.Generator,
) -> Neighbours:
    """Draw rows that keep some of a row's values; the others are those of background rows.

    Each value is kept or drawn by itself, a missing one like any other. A feature that is the same
    in the whole background is kept always.

    Parameters
    ----------
    row : ndarray, (n_features,)
    background : ndarray, (n_background, n_features)
    alike : ndarray of bool, (n_background, n_features)
        Where a background value counts as the row's own.
    varies : ndarray of bool, (n_features,)
    count : int
        Rows to draw, the row itself among them.
    kept : float
        Chance, in [0, 1), that a value is kept; beside that it may be drawn.
    draw : Generator

    Examples
    --------
    >>> row, background = np.array([1.0, 5.0]), np.array([[2.0, 5.0], [3.0, 5.0]])
    >>> found = neighbours(row, background, background == row, np.array([True, False]),
    ...                    count=3, kept=0.0, draw=np.random.default_rng(0))
    >>> found.rows[0].tolist(), found.rows[:, 1].tolist(), bool(found.same[1:, 0].any())
    ([1.0, 5.0], [5.0, 5.0, 5.0], False)
    """
    n, width = background.shape
    # One draw decides both: beyond the background is the row itself.
    picked = draw.integers(0, max(n, round(n / (1 - kept))), (count, width), dtype=np.int64)
    np.minimum(picked, n, out=picked)
    picked[:, ~varies] = n
    picked[0] = n
    picked *= width
    picked += np.arange(width)
    values = np.concatenate([background.ravel(), row])
    hold = np.concatenate([alike.ravel(), np.ones(width, dtype=bool)])
    return Neighbours(values.take(picked), hold.take(picked))
