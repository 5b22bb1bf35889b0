"""How a sum of trees moves with one feature: for each row exactly, or by the training weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.ports import Columns, Model
from gleis.evidence.explain.explainable import Reading
from gleis.evidence.explain.turns import Nodes

Array = NDArray[Any]
Floats = NDArray[np.float64]
_ZERO = float(np.float32(1e-35))
_EXACT, _SINGLE = 1e-9, 1e-5
_AT_ONCE = 1 << 24
"""Turns, one byte each, held at once."""
_WORTH_IT = 8
"""Walking all nodes beats asking the model for every value while trees are at most so many times
larger than the grid."""


class Trees(Nodes, Protocol):
    """A sum of trees as plain arrays; the right child follows the left one."""

    @property
    def left(self) -> Array:
        """(n_nodes,) index of the left child; a leaf names itself."""
        ...

    @property
    def value(self) -> Array:
        """(n_nodes, width) what a leaf adds to outputs ``target`` to ``target + width - 1``."""
        ...

    @property
    def cover(self) -> Array:
        """(n_nodes,) training weight that passed, as the library counts it."""
        ...

    @property
    def roots(self) -> Array:
        """(n_trees,)."""
        ...

    @property
    def target(self) -> Array:
        """(n_trees,)."""
        ...

    @property
    def init(self) -> Array:
        """(n_outputs,) added to the sums."""
        ...

    @property
    def divide(self) -> float:
        """The sums are divided by it."""
        ...

    @property
    def link(self) -> str:
        """From sums to outputs."""
        ...

    @property
    def single(self) -> bool:
        """Sums are taken in float32."""
        ...


class Grown(Protocol):
    """A model that is one sum of trees."""

    @property
    def reads(self) -> tuple[Reading, ...]:
        """What the columns of its matrix are."""
        ...

    @property
    def sources(self) -> Array:
        """(n_features,) which input each feature of the trees is made from."""
        ...

    @property
    def place(self) -> Sequence[int]:
        """For each column of the scores, which output it is; -1 for one that is always 0."""
        ...

    def matrix(self, columns: Columns) -> Floats:
        """Return rows as numbers, (n_rows, n_inputs)."""
        ...

    def features(self, matrix: Floats) -> Floats:
        """Return what the trees see, (n_rows, n_features)."""
        ...

    def trees(self) -> Trees | None:
        """Return the trees, or None if there are none."""
        ...


def as_grown(model: Model) -> Grown | None:
    """Return the model if it is one sum of trees with a link that is known here, else None."""
    found: Any = model
    trees: Trees | None = found.trees() if callable(getattr(found, "trees", None)) else None
    return found if trees is not None and trees.link.removesuffix("32") in _LINKS else None


def tree_lines(
    model: Grown, rows: Columns, at_grid: Columns, moving: Sequence[int], column: int
) -> Floats:
    r"""Return the score of every row at every value of some features, (n_rows, n_grid).

    On the way to a leaf some nodes ask for those features and others do not. The leaf is reached
    if all of both turn its way, so with the leaf's value :math:`v_l`

    .. math:: s(x, z) = \sum_l v_l \, [x \text{ turns}] \, [z \text{ turns}]

    is one product of two matrices: rows by leaves and leaves by values. The scores are those of
    the model but for the order of the sums.

    Parameters
    ----------
    model : Grown
    rows : mapping
        Feature -> values, each (n_rows,).
    at_grid : mapping
        Feature -> values, each (n_grid,): the grid in the features that move, anything elsewhere.
    moving : sequence of int
        Places of the features that move among the model's inputs.
    column : int
        Of the scores.

    References
    ----------
    Goldstein, A. et al. (2015). Peeking inside the black box: visualizing statistical learning
    with plots of individual conditional expectation. J. Comput. Graph. Stat. 24, 44-65, section 3.
    """
    trees = _trees(model)
    walk = _Walk.down(trees, model.sources, moving)
    x, grid = model.features(model.matrix(rows)), model.features(model.matrix(at_grid))
    output = model.place[column]
    lines = np.zeros((len(x), len(grid)))
    if output < 0:
        return lines
    moved = walk.reached(walk.free, grid)
    size = max(1, _AT_ONCE // len(trees.left))
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        sums = walk.sums(walk.reached(~walk.free, x[part]), moved) / trees.divide
        lines[part] = _LINKS[_link(trees)](sums, output).T
    return lines


def tolerance_of(model: Grown) -> float:
    """Return how far the order of the sums may move a score, in parts of max(1, score)."""
    trees = _trees(model)
    return _SINGLE if trees.single or trees.link.endswith("32") else _EXACT


def pays(model: Grown, n_grid: int) -> bool:
    """Say whether ``tree_lines`` takes less time than asking the model row by row."""
    trees = _trees(model)
    return len(trees.left) <= _WORTH_IT * n_grid * len(trees.roots)


def tree_dependence(
    model: Grown, at_grid: Columns, moving: Sequence[int], column: int
) -> tuple[Floats, str]:
    """Return the mean sum of the trees at every value of one feature, over training weights.

    A node that asks for the feature is decided by the value, every other one lets both children
    have their share of the training weight that passed. It needs no rows and is on the scale of
    the sums, not of the score: the mean of a probability is not the probability of a mean.

    Parameters
    ----------
    model : Grown
    at_grid, moving
        As for ``tree_lines``.
    column : int

    Returns
    -------
    values : ndarray, (n_grid,)
    link : str
        From the score to the values: identity, logit, log or centred log-ratio.

    References
    ----------
    Friedman, J. H. (2001). Greedy function approximation: a gradient boosting machine. Annals of
    Statistics 29, 1189-1232, section 8.2 (weighted traversal).
    """
    trees = _trees(model)
    walk = _Walk.down(trees, model.sources, moving)
    moved = walk.reached(walk.free, model.features(model.matrix(at_grid)))
    weight = moved * walk.weights()[:, None]
    worth = np.array([walk.worth(output) for output in range(len(trees.init))])
    sums = (worth @ weight + trees.init[:, None]) / trees.divide
    return _on_scale(_link(trees), sums, model.place, column)


@dataclass(frozen=True)
class _Walk:
    """The ways to all leaves, and which nodes on them ask for the feature that moves."""

    trees: Trees
    levels: tuple[Array, ...]
    """Inner nodes of all trees, from the roots down."""
    leaves: Array
    """(n_leaves,) nodes."""
    target: Array
    """(n_leaves,) first output a leaf adds to."""
    free: Array
    """(n_nodes,) bool: asks for the feature."""
    touched: Array
    """(n_leaves,) bool: a node of its tree does."""

    @classmethod
    def down(cls, trees: Trees, sources: Array, moving: Sequence[int]) -> _Walk:
        """Walk all trees down from their roots, level by level."""
        inner = trees.left != np.arange(len(trees.left))
        free = inner & np.isin(sources[trees.feature], moving) if len(sources) else inner & False
        tree = np.full(len(inner), -1)
        tree[trees.roots] = np.arange(len(trees.roots))
        at, levels = trees.roots[inner[trees.roots]], []
        while len(at):
            levels.append(at)
            children = np.concatenate([trees.left[at], trees.left[at] + 1])
            tree[children] = np.concatenate([tree[at], tree[at]])
            at = children[inner[children]]
        leaves = np.flatnonzero(~inner & (tree >= 0))
        moved = np.zeros(len(trees.roots), dtype=bool)
        moved[tree[free & (tree >= 0)]] = True
        return cls(
            trees=trees,
            levels=tuple(levels),
            leaves=leaves,
            target=trees.target[tree[leaves]],
            free=free,
            touched=moved[tree[leaves]],
        )

    def reached(self, asked: Array, x: Floats) -> Array:
        """Return whether every asked node on the way to a leaf turns its way, (n_leaves, n_x)."""
        found = np.ones((len(asked), len(x)), dtype=bool)
        turns = np.ones((len(asked), len(x)), dtype=bool)
        for nodes, left in _turns(self.trees, np.flatnonzero(asked & self._inner), x):
            turns[nodes] = left
        for at in self.levels:
            left = self.trees.left[at]
            found[left] = found[left + 1] = found[at]
            decides = asked[at]
            found[left[decides]] &= turns[at[decides]]
            found[left[decides] + 1] &= ~turns[at[decides]]
        return found[self.leaves]

    def sums(self, own: Array, moved: Array) -> Floats:
        """Return the sums, (n_outputs, n_grid, n_rows).

        Parameters
        ----------
        own : ndarray of bool, (n_leaves, n_rows)
            Leaves that a row may reach, the feature aside.
        moved : ndarray of bool, (n_leaves, n_grid)
            Leaves that a value of the feature lets through.
        """
        here, found = self.touched, []
        reached, always = own[here].astype(np.float64), own[~here].astype(np.float64)
        for output, init in enumerate(self.trees.init):
            worth = self.worth(output)
            moving = (moved[here] * worth[here, None]).T
            found.append(moving @ reached + worth[~here] @ always + init)
        return np.stack(found)

    def weights(self) -> Floats:
        """Return the share of training weight on the way to a leaf, free nodes left out."""
        cover = self.trees.cover.astype(np.float64)
        share = np.ones(len(cover))
        for at in self.levels:
            for child in (self.trees.left[at], self.trees.left[at] + 1):
                with np.errstate(divide="ignore", invalid="ignore"):
                    part = np.nan_to_num(cover[child] / cover[at])
                share[child] = share[at] * np.where(self.free[at], 1.0, part)
        return share[self.leaves]

    def worth(self, output: int) -> Floats:
        """Return what each leaf adds to an output, (n_leaves,)."""
        value = np.asarray(self.trees.value, dtype=np.float64)[self.leaves]
        place = output - self.target
        here = (place >= 0) & (place < value.shape[1])
        return np.where(here, value[np.arange(len(value)), np.where(here, place, 0)], 0.0)

    @property
    def _inner(self) -> Array:
        inner: Array = self.trees.left != np.arange(len(self.trees.left))
        return inner


def _turns(trees: Trees, at: Array, x: Floats) -> Iterator[tuple[Array, Array]]:
    """Yield nodes that ask for one feature, and where rows turn there, (n_nodes, n_rows)."""
    asked = trees.feature[at]
    for feature in np.unique(asked):
        values = x[:, feature]
        for kind in np.unique(trees.kind[at[asked == feature]]):
            nodes = at[(asked == feature) & (trees.kind[at] == kind)]
            if kind == 1:
                codes, place = np.unique(values, return_inverse=True)
                yield nodes, _in_sets(trees, nodes, codes)[:, place]
            else:
                yield nodes, _below(trees, nodes, values, int(kind))


def _below(trees: Trees, nodes: Array, values: Floats, kind: int) -> Array:
    default = trees.default_left[nodes].astype(bool)
    missing = np.isnan(values)
    if kind in {2, 3}:
        values, missing = np.nan_to_num(values), np.zeros_like(missing)
    if kind == 3:
        missing = np.abs(values) <= _ZERO
    left = values[None, :] <= trees.threshold[nodes][:, None]
    if missing.any():
        left[:, missing] = default[:, None]
    return np.asarray(left)


def _in_sets(trees: Trees, nodes: Array, codes: Floats) -> Array:
    """Return whether a code is in a node's set, (n_nodes, n_codes)."""
    known = (codes[None, :] > -1.0) & (codes[None, :] < trees.size[nodes][:, None])
    code = np.where(known, np.nan_to_num(codes)[None, :], 0.0).astype(np.int64)
    word = np.where(known, trees.at[nodes][:, None] + (code >> 5), 0)
    bits = trees.bits if len(trees.bits) else np.zeros(1, np.uint32)
    in_set = (bits[word] >> (code & 31).astype(np.uint32)) & np.uint32(1)
    return np.where(known, in_set == 1, trees.default_left[nodes].astype(bool)[:, None])


def _trees(model: Grown) -> Trees:
    trees = model.trees()
    assert trees is not None, "as_grown asked"
    return trees


def _link(trees: Trees) -> str:
    return trees.link.removesuffix("32")


def _logistic(x: Floats) -> Floats:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + e), e / (1.0 + e))


def _softmax(sums: Floats, output: int) -> Floats:
    e = np.exp(sums - sums.max(axis=0))
    share: Floats = e[output] / e.sum(axis=0)
    return share


_LINKS: dict[str, Callable[[Floats, int], Floats]] = {
    "identity": lambda sums, output: sums[output],
    "round": lambda sums, output: sums[output],
    "logistic": lambda sums, output: _logistic(sums[output]),
    "exp": lambda sums, output: np.exp(sums[output]),
    "softmax": _softmax,
}
"""From sums, outputs first, to the scores of one output."""


def _on_scale(link: str, sums: Floats, place: Sequence[int], column: int) -> tuple[Floats, str]:
    output = place[column]
    if output < 0:
        return np.zeros(sums.shape[1]), "identity"
    if link != "softmax":
        return sums[output], {"logistic": "logit", "exp": "log"}.get(link, "identity")
    if len(place) == 1:
        # Two classes: the difference of their sums is the logit.
        return sums[output] - sums[1 - output], "logit"
    return sums[output] - sums.mean(axis=0), "centred log-ratio"
