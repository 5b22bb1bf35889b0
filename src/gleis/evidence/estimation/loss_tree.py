"""A small tree of a regression's loss: which rows lose how much."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.estimation import Days, Node, ValueEstimation
from gleis.evidence.estimation.days import day_spread
from gleis.evidence.explain.coding import Coding
from gleis.evidence.explain.small_tree import SmallTree, Split, grow
from gleis.evidence.weighted import Floats

SCORE = "score"
_DEPTH = 8
_LEAVES = 128
_LEAST = 30
"""Test rows in a leaf, at least."""
_GROW = 20_000
"""Rows the tree is grown on; what its leaves lose is measured on all."""


def fit_loss(
    y: NDArray[np.generic],
    scores: Floats,
    columns: Mapping[str, Any],
    contract: Contract,
    days: NDArray[np.intp] | None = None,
) -> ValueEstimation:
    """Grow a tree of the absolute error from features and score, and measure its leaves.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Of the test rows.
    scores : ndarray of float64, (n_rows,)
    columns : mapping of str to sequence, each (n_rows,)
        Features of the contract.
    contract : Contract
    days : ndarray of intp, (n_rows,), optional
        0, 1, ...: the day of each row.

    References
    ----------
    NannyML (2022). Direct Loss Estimation: a model of the loss, learned where targets are known.
    Here one regression tree (Breiman, L. et al. (1984). Classification and Regression Trees,
    chapter 8), whose leaves give the absolute and the squared error at once, each with how well it
    is known.
    """
    errors = np.abs(y.astype(np.float64) - scores)
    coding = Coding(contract).knowing(columns)
    matrix = np.column_stack([coding.encode(columns), scores])
    kinds = [*(column.kind == "category" for column in contract.features), False]
    every = max(1, -(-len(y) // _GROW))
    tree = grow(
        matrix[::every],
        errors[::every],
        categories=kinds,
        depth=_DEPTH,
        min_leaf=max(_LEAST, -(-len(y) // (_LEAVES * every))),
    )
    nodes = _nodes(tree, (*contract.names, SCORE), coding.words)
    leaf = loss_leaves(columns, scores, nodes)
    count = sum(node.leaf is not None for node in nodes)
    rows = np.bincount(leaf, minlength=count)
    absolute, absolute_m2 = _moments(errors, leaf, rows)
    squared, squared_m2 = _moments(errors**2, leaf, rows)
    return ValueEstimation(
        nodes=nodes,
        rows=tuple(rows.tolist()),
        absolute=tuple(absolute.tolist()),
        absolute_m2=tuple(absolute_m2.tolist()),
        squared=tuple(squared.tolist()),
        squared_m2=tuple(squared_m2.tolist()),
        days=_days(errors**2, squared[leaf], squared_m2[leaf], days),
    )


def loss_leaves(
    columns: Mapping[str, Any], scores: Floats, nodes: Sequence[Node]
) -> NDArray[np.intp]:
    """Return the leaf that each row comes to, (n_rows,).

    Parameters
    ----------
    columns : mapping of str to sequence, each (n_rows,)
        None or NaN is a missing value; an unknown word goes to the right.
    scores : ndarray of float64, (n_rows,)
    nodes : sequence of Node
    """
    words: dict[str, dict[str, float]] = {}
    for node in nodes:
        if node.leaf is None:
            known = words.setdefault(node.column, {})
            for word in node.words or ():
                known.setdefault(word, float(len(known)))
    values = {
        name: scores if name == SCORE else _values(columns[name], known)
        for name, known in words.items()
    }
    found = np.zeros(len(scores), dtype=np.intp)
    waiting: list[tuple[int, NDArray[np.intp]]] = [(0, np.arange(len(scores)))]
    while waiting:
        at, rows = waiting.pop()
        node = nodes[at]
        if node.leaf is not None:
            found[rows] = node.leaf
            continue
        left = _left(node, values[node.column][rows], words[node.column])
        waiting += [(node.left, rows[left]), (node.right, rows[~left])]
    return found


def _left(node: Node, values: Floats, codes: Mapping[str, float]) -> NDArray[np.bool_]:
    absent = np.isnan(values)
    if node.words is not None:
        inside = np.isin(values, [codes[word] for word in node.words])
    elif node.threshold is None:
        inside = np.full(len(values), not node.missing_left)
    else:
        inside = values <= node.threshold
    return np.asarray(np.where(absent, node.missing_left, inside), dtype=bool)


def _values(values: Any, codes: Mapping[str, float]) -> Floats:
    """Numbers as they are; words by their code, -1 where no question asks for one."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub" and not codes:
        return values.astype(np.float64, copy=False)
    to_list = getattr(values, "to_list", None) or getattr(values, "tolist", None)
    listed = to_list() if to_list is not None else values
    if codes:
        known: dict[Any, float] = {**codes, None: math.nan}
        return np.array([known.get(value, -1.0) for value in listed], dtype=np.float64)
    return np.array([math.nan if v is None else float(v) for v in listed], dtype=np.float64)


def _moments(
    values: Floats, leaf: NDArray[np.intp], rows: NDArray[np.integer[Any]]
) -> tuple[Floats, Floats]:
    """Mean and variance by leaf."""
    n = np.maximum(rows, 1)
    mean = np.bincount(leaf, values, len(rows)) / n
    return mean, np.bincount(leaf, (values - mean[leaf]) ** 2, len(rows)) / np.maximum(n - 1, 1)


def _days(
    squared: Floats, expected: Floats, variance: Floats, days: NDArray[np.intp] | None
) -> Days:
    if days is None:
        return Days(count=0, spread=(0.0,), score_spread=0.0)
    # A day's error as a share of what was expected: weights that make both comparable.
    safe = np.where(variance > 0, variance, 1.0)
    slope = np.where(variance > 0, expected**2 / safe, 0.0)
    error = np.where(variance > 0, (squared - expected) * expected / safe, 0.0)
    each = expected.var()
    centred = (expected - expected.mean()) / (each if each > 0 else 1.0)
    weight = np.full(len(expected), 1.0 / each if each > 0 else 0.0)
    return Days(
        count=int(days.max()) + 1,
        spread=(day_spread(days, error, slope),),
        score_spread=day_spread(days, centred, weight),
    )


def _nodes(
    tree: SmallTree, names: Sequence[str], words: Mapping[str, Sequence[str]]
) -> tuple[Node, ...]:
    nodes: list[Node] = []
    leaves = 0

    def visit(at: SmallTree) -> int:
        nonlocal leaves
        place = len(nodes)
        if at.split is None or at.below is None:
            nodes.append(Node(leaf=leaves))
            leaves += 1
            return place
        nodes.append(Node())
        left, right = visit(at.below[0]), visit(at.below[1])
        nodes[place] = _question(at.split, names, words, left, right)
        return place

    visit(tree)
    return tuple(nodes)


def _question(
    split: Split,
    names: Sequence[str],
    words: Mapping[str, Sequence[str]],
    left: int,
    right: int,
) -> Node:
    name = names[split.feature]
    known = None
    if split.codes is not None:
        known = tuple(words[name][int(code)] for code in split.codes)
    return Node(
        column=name,
        threshold=None if math.isnan(split.threshold) else split.threshold,
        words=known,
        missing_left=split.missing_left,
        left=left,
        right=right,
    )
