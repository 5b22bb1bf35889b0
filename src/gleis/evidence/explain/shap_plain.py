"""What ``shap_kernel.c`` does, in numpy alone: slower, needs no compiler.

All leaves at once, each with the features on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.explain.forest import Forest
from gleis.evidence.explain.turns import goes_left

Array = NDArray[Any]
_AT_ONCE = 1 << 22
"""Numbers in one intermediate array."""


@dataclass(frozen=True)
class _Paths:
    """Leaves with the features on their way, padded to the longest with some that change nothing.

    On the way to a leaf a feature may be asked several times; that is one player.
    """

    value: Array
    """(n_leaves, width)."""
    target: Array
    """(n_leaves,)."""
    node: Array
    """(n_leaves, depth) node that is passed."""
    turned_left: Array
    """(n_leaves, depth) bool."""
    there: Array
    """(n_leaves, depth) bool: not padding."""
    player: Array
    """(n_leaves, depth) place among the leaf's players."""
    feature: Array
    """(n_leaves, n_players) feature of a player; 0 at padding."""
    unknown: Array
    """(n_leaves, n_players) share of training rows that turn as the way does, if it is unknown."""


class PlainShap:
    """Shapley values of a forest; see ``TreeShap``."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._paths = _paths(forest)
        points, weights = np.polynomial.legendre.leggauss(
            max(1, (self._paths.feature.shape[1] + 1) // 2)
        )
        self._points, self._weights = (points + 1) / 2, weights / 2

    def values(self, x: Array) -> NDArray[np.float64]:
        """Return what each feature adds to the sums, (n_rows, n_features, n_outputs)."""
        found = [self._row(goes_left(self._forest, row)) for row in x]
        shape = (len(x), self._forest.n_features, self._forest.n_outputs)
        return np.array(found, dtype=np.float64).reshape(shape)

    def _row(self, turns: Array) -> Array:
        total = np.zeros((self._forest.n_features, self._forest.n_outputs))
        for part in self._chunks():
            known = self._known(turns, part)
            gain = (known - self._paths.unknown[part]) * self._rest(known, part)
            feature, value = self._paths.feature[part], self._paths.value[part]
            width = value.shape[1]
            shared = (gain[:, :, None] * value[:, None, :]).reshape(-1, width)
            total += self._add(feature.ravel(), shared, np.repeat(part, feature.shape[1]))
        return total

    def _known(self, turns: Array, part: Array) -> Array:
        """Return 1 where the row turns as the way to a leaf does at all nodes of a player."""
        paths = self._paths
        known = np.ones(paths.unknown[part].shape)
        row = np.arange(len(part))
        for depth in range(paths.node.shape[1]):
            node, there = paths.node[part, depth], paths.there[part, depth]
            same = turns[node] == paths.turned_left[part, depth]
            known[row, paths.player[part, depth]] *= same | ~there
        return known

    def _rest(self, known: Array, part: Array) -> Array:
        """Integrate the product over all other players, (n_leaves, n_players)."""
        t = self._points
        factor = known[:, :, None] * t + self._paths.unknown[part][:, :, None] * (1 - t)
        before, after = np.ones_like(factor), np.ones_like(factor)
        np.cumprod(factor[:, :-1], axis=1, out=before[:, 1:])
        after[:, :-1] = np.cumprod(factor[:, :0:-1], axis=1)[:, ::-1]
        rest: Array = (before * after) @ self._weights
        return rest

    def _add(self, feature: Array, shares: Array, leaf: Array | None = None) -> Array:
        """Add shares (n, width) to (n_features, n_outputs)."""
        outputs, width = self._forest.n_outputs, shares.shape[1]
        target = self._paths.target if leaf is None else self._paths.target[leaf]
        place = feature[:, None] * outputs + target[:, None] + np.arange(width)
        size = max(1, self._forest.n_features) * outputs
        return np.bincount(place.ravel(), shares.ravel(), size).reshape(-1, outputs)

    def _chunks(self) -> Iterator[Array]:
        leaves, players = self._paths.unknown.shape
        size = max(1, _AT_ONCE // (players * len(self._points)))
        for start in range(0, leaves, size):
            yield np.arange(start, min(start + size, leaves))


def _paths(forest: Forest) -> _Paths:
    """Climb from every leaf to its root, all at once."""
    here = np.arange(len(forest.left))
    inner = np.flatnonzero(forest.left != here)
    parent = np.full(len(here), -1)
    parent[forest.left[inner]] = inner
    parent[forest.right[inner]] = inner
    tree, leaves = _reached(forest, parent)
    at, steps = leaves, []
    while (parent[at] >= 0).any():
        above = parent[at]
        steps.append(np.where(above >= 0, at, -1))
        at = np.where(above >= 0, above, at)
    child = np.stack(steps, axis=1) if steps else np.full((len(leaves), 1), -1)
    there = child >= 0
    node = np.where(there, parent[child], 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(there, forest.cover[child] / forest.cover[node], 1.0)
    asked = np.where(there, forest.feature[node], -1)
    player, feature = _players(asked)
    unknown = np.ones(feature.shape)
    row = np.arange(len(leaves))
    for depth in range(node.shape[1]):
        unknown[row, player[:, depth]] *= np.nan_to_num(ratio[:, depth])
    return _Paths(
        value=np.asarray(forest.value, dtype=np.float64)[leaves],
        target=forest.target[tree],
        node=node,
        turned_left=there & (forest.left[node] == child),
        there=there,
        player=player,
        feature=feature,
        unknown=unknown,
    )


def _reached(forest: Forest, parent: Array) -> tuple[Array, Array]:
    """Return the leaves, and the tree of each."""
    tree = np.full(len(parent), -1)
    tree[forest.roots] = np.arange(len(forest.roots))
    at = np.arange(len(parent))
    while (parent[at] >= 0).any():
        at = np.where(parent[at] >= 0, parent[at], at)
    tree = tree[at]
    leaves = np.flatnonzero((forest.left == np.arange(len(parent))) & (tree >= 0))
    return tree[leaves], leaves


def _players(asked: Array) -> tuple[Array, Array]:
    """Number the different features of each way; -1 is padding and becomes feature 0."""
    order = np.argsort(asked, axis=1, kind="stable")
    ordered = np.take_along_axis(asked, order, axis=1)
    new = np.ones(asked.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    number = np.cumsum(new, axis=1) - 1
    player = np.empty_like(number)
    np.put_along_axis(player, order, number, axis=1)
    feature = np.zeros((len(asked), int(number.max(initial=0)) + 1), dtype=np.int64)
    np.put_along_axis(feature, player, np.maximum(asked, 0), axis=1)
    return player, feature
