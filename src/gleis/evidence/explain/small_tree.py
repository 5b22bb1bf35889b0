"""A regression tree of few questions: exact splits of numbers, categories and missing values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Way = tuple[tuple["Split", bool], ...]
"""Splits on the way to a leaf, and whether it lies to the left."""
_LEAST = 1e-12
"""Share of the root's squares by which a split must lower them."""


class Split(NamedTuple):
    """A question."""

    feature: int
    threshold: float
    """Rows at most this go left; NaN: of a category, or only missing values are apart."""
    codes: tuple[float, ...] | None
    """Of a category: these go left."""
    missing_left: bool

    def left(self, matrix: Floats) -> NDArray[np.bool_]:
        """Return which rows go left, (n_rows,)."""
        values = matrix[:, self.feature]
        if self.codes is not None:
            found = np.isin(values, self.codes)
        elif math.isnan(self.threshold):
            found = np.full(len(values), not self.missing_left)
        else:
            found = values <= self.threshold
        return np.asarray(np.where(np.isnan(values), self.missing_left, found), dtype=bool)


@dataclass(frozen=True)
class SmallTree:
    """A node: a question with two more nodes, or a leaf."""

    value: float
    """Mean of its rows."""
    rows: int
    split: Split | None = None
    below: tuple[SmallTree, SmallTree] | None = None
    """Left and right."""

    def predict(self, matrix: Floats) -> Floats:
        """Return the mean of the leaf that each row comes to, (n_rows,)."""
        if self.split is None or self.below is None:
            return np.full(len(matrix), self.value)
        left = self.split.left(matrix)
        found = np.empty(len(matrix))
        found[left] = self.below[0].predict(matrix[left])
        found[~left] = self.below[1].predict(matrix[~left])
        return found

    def cut(self, depth: int) -> SmallTree:
        """Return the tree without what lies deeper than ``depth`` questions."""
        if depth == 0 or self.below is None:
            return SmallTree(self.value, self.rows)
        left, right = self.below
        return SmallTree(
            self.value, self.rows, self.split, (left.cut(depth - 1), right.cut(depth - 1))
        )

    def leaves(self, way: Way = ()) -> Iterator[tuple[Way, float, int]]:
        """Yield every leaf from left to right: the way to it, its mean and its rows."""
        if self.split is None or self.below is None:
            yield way, self.value, self.rows
            return
        for child, left in zip(self.below, (True, False), strict=True):
            yield from child.leaves((*way, (self.split, left)))


def grow(
    matrix: Floats,
    y: Floats,
    *,
    categories: Sequence[bool],
    depth: int,
    min_leaf: int = 1,
) -> SmallTree:
    r"""Grow a tree by the split that lowers the sum of squares the most, at every node.

    A number is split between any two values, in the middle; categories are ordered by their means,
    among which orders the best split into two sets is; missing values go to the side where they
    lower the squares more, or make one of their own.

    Parameters
    ----------
    matrix : ndarray, (n_rows, n_features)
        NaN is missing.
    y : ndarray, (n_rows,)
    categories : sequence of bool
        Which features are codes without an order.
    depth : int
    min_leaf : int
        Rows in a leaf, at least.

    Returns
    -------
    SmallTree
        Of equal splits the one of the first feature, at the lowest place.

    References
    ----------
    Breiman, L., Friedman, J., Olshen, R. and Stone, C. (1984). Classification and Regression
    Trees, chapter 8; theorem 4.5 and section 8.8 for categories.
    Fisher, W. D. (1958). On grouping for maximum homogeneity. J. Am. Stat. Assoc. 53, 789-798.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> tree = grow(x, np.array([5.0, 5.0, 9.0, 9.0]), categories=[False], depth=1)
    >>> tree.split.threshold, tree.predict(np.array([[1.4], [1.6]])).tolist()
    (1.5, [5.0, 9.0])
    """
    whole = float(((y - y.mean()) ** 2).sum()) if len(y) else 0.0
    return _node(matrix, y, categories, depth, max(1, min_leaf), _LEAST * whole)


def _node(
    matrix: Floats,
    y: Floats,
    categories: Sequence[bool],
    depth: int,
    min_leaf: int,
    least: float,
) -> SmallTree:
    leaf = SmallTree(value=float(y.mean()) if len(y) else math.nan, rows=len(y))
    if depth == 0 or len(y) < 2 * min_leaf:
        return leaf
    split, gain = None, least
    centred = y - leaf.value
    for feature, category in enumerate(categories):
        found = _best(matrix[:, feature], centred, feature, category, min_leaf)
        if found is not None and found[1] > gain * (1 + 1e-10):
            split, gain = found
    if split is None:
        return leaf
    left = split.left(matrix)
    below = tuple(
        _node(matrix[side], y[side], categories, depth - 1, min_leaf, least)
        for side in (left, ~left)
    )
    return SmallTree(leaf.value, leaf.rows, split, (below[0], below[1]))


def _best(
    values: Floats, y: Floats, feature: int, category: bool, min_leaf: int
) -> tuple[Split, float] | None:
    """Return the best split of one feature, and by how much it lowers the squares."""
    missing = np.isnan(values)
    known, rest = values[~missing], y[missing]
    if not len(known):
        return None
    numbers, place, counts = np.unique(known, return_inverse=True, return_counts=True)
    sums = np.bincount(place, y[~missing], len(numbers))
    order = np.argsort(sums / counts, kind="stable") if category else np.arange(len(numbers))
    left_n, left_sum = np.cumsum(counts[order]), np.cumsum(sums[order])
    best: tuple[Split, float] | None = None
    for missing_left in (False, True) if len(rest) else (False,):
        n = left_n + (len(rest) if missing_left else 0)
        s = left_sum + (rest.sum() if missing_left else 0.0)
        gains = _gains(n, s, len(y), min_leaf)
        if missing_left or not len(rest):
            # All known values on one side is no split.
            gains[-1] = -math.inf
        at = int(gains.argmax())
        if math.isfinite(gains[at]) and (best is None or gains[at] > best[1]):
            best = _split(feature, category, numbers, order, at, missing_left), float(gains[at])
    return best


def _gains(n: NDArray[Any], total: Floats, rows: int, min_leaf: int) -> Floats:
    r"""Return how much the squares are lowered, of values whose mean is 0.

    With :math:`S` the sum of the :math:`n` left of :math:`N` rows it is
    :math:`S^2 / n + S^2 / (N - n)`.
    """
    right = rows - n
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = total**2 / n + total**2 / right
    return np.where((n >= min_leaf) & (right >= min_leaf), gains, -math.inf)


def _split(
    feature: int,
    category: bool,
    numbers: Floats,
    order: NDArray[np.intp],
    at: int,
    missing_left: bool,
) -> Split:
    if category:
        codes = tuple(sorted(numbers[order[: at + 1]].tolist()))
        return Split(feature, math.nan, codes, missing_left)
    if at == len(numbers) - 1:
        return Split(feature, math.nan, None, missing_left)
    middle = numbers[at] / 2 + numbers[at + 1] / 2
    # Between neighbouring floats the middle may be the upper one.
    threshold = float(middle if middle < numbers[at + 1] else numbers[at])
    return Split(feature, threshold, None, missing_left)
