"""Exact Shapley values of sums of trees, in polynomial time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_AT_ONCE = 1 << 22
"""Numbers in one intermediate array."""


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Trees as plain arrays; nodes of all trees lie in one row."""

    feature: Array
    """(n_nodes,) what a node asks for; anything at a leaf."""
    left: Array
    """(n_nodes,) index of the left child; a leaf names itself."""
    right: Array
    """(n_nodes,); anything at a leaf."""
    value: Array
    """(n_nodes, width) what a leaf adds to outputs ``target`` to ``target + width - 1``."""
    cover: Array
    """(n_nodes,) training weight that passed."""
    roots: Array
    """(n_trees,)."""
    target: Array
    """(n_trees,)."""
    n_features: int
    n_outputs: int


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


class TreeShap:
    r"""Path-dependent Shapley values: an unknown feature is decided by the training weights below.

    For a leaf with value :math:`v` and players :math:`1..m` on its way, let :math:`o_i` be 1 if
    the row turns there as the way does, else 0, and :math:`z_i` the share of training weight that
    does. Its part of the game is :math:`v \prod_{i \in S} o_i \prod_{i \notin S} z_i`, of
    which player :math:`j` gets

    .. math:: v (o_j - z_j) \int_0^1 \prod_{i \ne j} (o_i t + z_i (1 - t)) dt

    (Owen's multilinear extension). The integrand is a polynomial of degree :math:`m - 1`, so
    Gauss-Legendre quadrature with :math:`\lceil m / 2 \rceil` points is exact; all terms are
    positive, so nothing cancels.

    Parameters
    ----------
    forest : Forest

    References
    ----------
    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable
    AI for trees. Nature Machine Intelligence 2, 56-67, algorithm 1 (the game).
    Owen, G. (1972). Multilinear extensions of games. Management Science 18, 64-79: the Shapley
    value as an integral along the diagonal.

    Examples
    --------
    One split: rows with ``x0`` at most 0 go left, as half of the training rows did.

    >>> forest = Forest(
    ...     feature=np.array([0, 0, 0]), left=np.array([1, 1, 2]), right=np.array([2, 1, 2]),
    ...     value=np.array([[0.0], [10.0], [20.0]]), cover=np.array([4.0, 2.0, 2.0]),
    ...     roots=np.array([0]), target=np.array([0]), n_features=1, n_outputs=1,
    ... )
    >>> shap = TreeShap(forest)
    >>> shap.base.tolist(), shap.values(np.array([True, False, False])).tolist()
    ([15.0], [[-5.0]])
    """

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._paths = _paths(forest)
        points, weights = np.polynomial.legendre.leggauss(
            max(1, (self._paths.feature.shape[1] + 1) // 2)
        )
        self._points, self._weights = (points + 1) / 2, weights / 2
        reached = self._paths.unknown.prod(axis=1)[:, None] * self._paths.value
        self.base: NDArray[np.float64] = self._add(np.zeros(len(reached), dtype=np.int64), reached)[
            0
        ]
        """(n_outputs,) sums where nothing is known: the mean over training weights."""

    def values(self, goes_left: Array) -> NDArray[np.float64]:
        """Return what each feature of one row adds to the sums.

        Parameters
        ----------
        goes_left : ndarray of bool, (n_nodes,)
            Where the row turns, at every node, passed or not.

        Returns
        -------
        ndarray, (n_features, n_outputs)
            With ``base`` they add up to the sums of the leaves reached.
        """
        total = np.zeros((self._forest.n_features, self._forest.n_outputs))
        for part in self._chunks():
            known = self._known(goes_left, part)
            gain = (known - self._paths.unknown[part]) * self._rest(known, part)
            feature, value = self._paths.feature[part], self._paths.value[part]
            width = value.shape[1]
            shared = (gain[:, :, None] * value[:, None, :]).reshape(-1, width)
            total += self._add(feature.ravel(), shared, np.repeat(part, feature.shape[1]))
        return total

    def _known(self, goes_left: Array, part: Array) -> Array:
        """Return 1 where the row turns as the way to a leaf does at all nodes of a player."""
        paths = self._paths
        known = np.ones(paths.unknown[part].shape)
        row = np.arange(len(part))
        for depth in range(paths.node.shape[1]):
            node, there = paths.node[part, depth], paths.there[part, depth]
            same = goes_left[node] == paths.turned_left[part, depth]
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
