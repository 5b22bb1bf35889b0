"""Trees of any library, laid out as the kernel walks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.packaging.compiled.form import KINDS, NODE
from gleis.packaging.compiled.symbols import NotCompiledError

Array = NDArray[Any]
_CATEGORY = KINDS.index("category")
_MOST_CATEGORIES = 32_000


@dataclass(frozen=True)
class Tree:
    """One tree in its library's own order of nodes; the root is node 0."""

    feature: Array
    """(n_nodes,); anything at a leaf."""
    threshold: Array
    """(n_nodes,) float64; rows not above it go left."""
    left: Array
    """(n_nodes,) child, below 0 at a leaf."""
    right: Array
    default_left: Array
    """(n_nodes,) bool: where missing values go."""
    value: Array
    """(n_nodes, width)."""
    cover: Array
    """(n_nodes,) training weight."""
    kind: Array | None = None
    """(n_nodes,) code of ``form.KINDS``; None: all numbers."""
    sets: dict[int, Array] | None = None
    """Node -> bool (n_codes,): which codes go left."""
    target: int = 0
    """First output it adds to."""


def lay_out(trees: Sequence[Tree]) -> dict[str, Array]:
    """Return the arrays of a ``Trees`` node but for ``init``, each tree breadth first."""
    nodes, values, covers, roots = [], [], [], []
    bits: list[Array] = []
    start = words = 0
    for tree in trees:
        roots.append(start)
        order, left = _breadth_first(tree.left, tree.right)
        laid = _nodes(tree, order, left, start)
        for position in np.flatnonzero(laid["kind"] == _CATEGORY):
            set_ = (tree.sets or {})[int(order[position])]
            packed = _bits(set_)
            laid["at"][position], laid["size"][position] = words, len(set_)
            bits.append(packed)
            words += len(packed)
        nodes.append(laid)
        values.append(tree.value[order])
        covers.append(tree.cover[order])
        start += len(order)
    return {
        "nodes": np.concatenate(nodes),
        "value": np.concatenate(values).astype("<f8"),
        "cover": np.concatenate(covers).astype("<f8"),
        "bits": np.concatenate([*bits, np.empty(0, "<u4")]).astype("<u4"),
        "roots": np.array(roots, dtype="<i4"),
        "target": np.array([tree.target for tree in trees], dtype="<i4"),
    }


def _breadth_first(left: Array, right: Array) -> tuple[Array, Array]:
    """Return old index by new position, and the left child (new; itself at a leaf)."""
    level = np.zeros(1, dtype=np.int64)
    order = [level]
    while True:
        parents = level[left[level] >= 0]
        if not len(parents):
            break
        level = np.stack([left[parents], right[parents]], axis=1).ravel().astype(np.int64)
        order.append(level)
    old = np.concatenate(order)
    new = np.zeros(len(left), dtype=np.int64)
    new[old] = np.arange(len(old))
    here = np.arange(len(old))
    return old, np.where(left[old] >= 0, new[left[old]], here)


def _nodes(tree: Tree, order: Array, left: Array, start: int) -> Array:
    laid = np.zeros(len(order), dtype=NODE)
    leaf = left == np.arange(len(order))
    laid["threshold"] = np.where(leaf, np.inf, tree.threshold[order])
    laid["feature"] = np.where(leaf, 0, tree.feature[order])
    laid["left"] = left + start
    laid["default_left"] = leaf | tree.default_left[order].astype(bool)
    if tree.kind is not None:
        laid["kind"] = np.where(leaf, 0, tree.kind[order])
    laid["threshold"][laid["kind"] == _CATEGORY] = 0.0
    return laid


def _bits(set_: Array) -> Array:
    if len(set_) > _MOST_CATEGORIES:
        raise NotCompiledError(f"A split tells over {_MOST_CATEGORIES:,} categories apart.")
    padded = np.zeros((len(set_) + 31) // 32 * 32, dtype=bool)
    padded[: len(set_)] = set_
    packed: Array = np.packbits(padded, bitorder="little").view("<u4")
    return packed
