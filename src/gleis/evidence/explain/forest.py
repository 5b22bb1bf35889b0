"""Trees as plain arrays, and what training weights say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Trees as plain arrays; nodes of all trees lie in one row, each with one parent at most.

    A row goes left at a node as ``turns.goes_left`` says.
    """

    feature: Array
    """(n_nodes,) what a node asks for; anything at a leaf."""
    threshold: Array
    """(n_nodes,) rows at most this go left."""
    default_left: Array
    """(n_nodes,) bool: where missing values go."""
    kind: Array
    """(n_nodes,); see ``turns.Nodes``."""
    at: Array
    """(n_nodes,) of a category: the first word of its set in ``bits``."""
    size: Array
    """(n_nodes,) of a category: how many codes its set knows."""
    bits: Array
    """(n_words,) uint32: codes whose bit is set go left."""
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
class Edges:
    """Of each node, the edge from its parent; of roots, none."""

    level: Array
    """(n_nodes,) edges from the root; -1 for a node of no tree."""
    tree: Array
    """(n_nodes,)."""
    unknown: Array
    """(n_nodes,) share of training weight that takes the edge and all earlier ones of the same
    feature; 1 at roots."""
    earlier: Array
    """(n_nodes,) how many edges above the last one of the same feature is; 0: none."""
    players: Array
    """(n_nodes,) different features on the way."""
    reached: Array
    """(n_nodes,) share of the tree's training weight."""


def read_edges(forest: Forest) -> Edges:
    """Go down all trees, a level at a time.

    Raises
    ------
    CannotExplainError
        If a node is below two others: then they are no trees.
    """
    count = len(forest.left)
    parent = np.full(count, -1)
    inner = np.flatnonzero(forest.left != np.arange(count))
    children = np.concatenate([forest.left[inner], forest.right[inner]])
    if len(np.unique(children)) < len(children):
        raise CannotExplainError("The trees of the model share nodes: they are no trees")
    parent[forest.left[inner]] = inner
    parent[forest.right[inner]] = inner
    level, tree = np.full(count, -1), np.full(count, -1)
    unknown, reached = np.ones(count), np.ones(count)
    earlier, players = np.zeros(count, np.int64), np.zeros(count, np.int64)
    here = np.asarray(forest.roots, dtype=np.int64)
    level[here], tree[here] = 0, np.arange(len(here))
    while len(here := here[forest.left[here] != here]):
        below = np.concatenate([forest.left[here], forest.right[here]]).astype(np.int64)
        above = parent[below]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.nan_to_num(forest.cover[below] / forest.cover[above])
        level[below], tree[below] = level[above] + 1, tree[above]
        reached[below] = reached[above] * share
        same = _earlier(forest.feature, parent, below)
        found = same >= 0
        unknown[below] = share * np.where(found, unknown[same], 1.0)
        earlier[below] = np.where(found, level[below] - level[same], 0)
        players[below] = players[above] + ~found
        here = below
    return Edges(level, tree, unknown, earlier, players, reached)


def _earlier(feature: Array, parent: Array, below: Array) -> Array:
    """Return the last node above whose edge is of the same feature, -1 if there is none."""
    found = np.full(len(below), -1)
    asked, at = feature[parent[below]], parent[below]
    open_ = np.flatnonzero(parent[at] >= 0)
    while len(open_):
        same = feature[parent[at[open_]]] == asked[open_]
        found[open_[same]] = at[open_[same]]
        open_ = open_[~same]
        at[open_] = parent[at[open_]]
        open_ = open_[parent[at[open_]] >= 0]
    return found
