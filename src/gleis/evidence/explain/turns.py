"""Where a row turns at each node of a tree: by number, by category, and where it is missing."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_ZERO = float(np.float32(1e-35))


class Nodes(Protocol):
    """Nodes of trees as plain arrays, each (n_nodes,)."""

    @property
    def feature(self) -> Array:
        """What a node asks for."""
        ...

    @property
    def threshold(self) -> Array:
        """Rows at most this go left."""
        ...

    @property
    def default_left(self) -> Array:
        """Where missing values go."""
        ...

    @property
    def kind(self) -> Array:
        """0 a number, 1 a category, 2 a number whose NaN is 0, 3 one whose 0 is missing."""
        ...

    @property
    def at(self) -> Array:
        """Of a category: the first word of its set in ``bits``."""
        ...

    @property
    def size(self) -> Array:
        """Of a category: how many codes its set knows; others are missing."""
        ...

    @property
    def bits(self) -> Array:
        """(n_words,) uint32: codes whose bit is set go left."""
        ...


def goes_left(nodes: Nodes, x: Array) -> NDArray[np.bool_]:
    """Return where a row turns at every node, (n_nodes,).

    Parameters
    ----------
    nodes : Nodes
    x : ndarray, (n_features,)
        Codes for categories, NaN for what is missing.
    """
    if not len(x):
        return np.ones(len(nodes.feature), dtype=bool)
    asked = x[nodes.feature]
    found = np.where(np.isnan(asked), nodes.default_left, asked <= nodes.threshold).astype(bool)
    for kind in (2, 3):
        here = nodes.kind == kind
        if here.any():
            number = np.nan_to_num(asked[here])
            left = number <= nodes.threshold[here]
            zero = (kind == 3) & (np.abs(number) <= _ZERO)
            found[here] = np.where(zero, nodes.default_left[here], left)
    here = np.flatnonzero(nodes.kind == 1)
    if len(here):
        found[here] = _in_set(nodes, here, asked[here])
    return found


def _in_set(nodes: Nodes, here: Array, asked: Array) -> Array:
    known = (asked > -1.0) & (asked < nodes.size[here])
    code = np.where(known, asked, 0.0).astype(np.int64)
    word = np.where(known, nodes.at[here] + (code >> 5), 0)
    bits = nodes.bits if len(nodes.bits) else np.zeros(1, np.uint32)
    set_ = (bits[word] >> (code & 31).astype(np.uint32)) & np.uint32(1)
    found: Array = np.where(known, set_ == 1, nodes.default_left[here])
    return found
