"""Where a compiled model changes its mind, in the values a client would send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.packaging.compiled.checks import leaves
from gleis.packaging.compiled.form import KINDS, OPS, Form, Trees
from gleis.packaging.compiled.plain import PlainKernel

Array = NDArray[Any]

_LOOKS_UP = tuple(OPS.index(name) for name in ("table", "allow", "match", "isnan"))
_WALKS = 400_000
_MOST_NODES = 25_000
"""Nodes aimed at; of a larger forest, evenly taken ones."""
_LARGEST = 1e30
"""Beyond it float32 overflows, and scikit-learn's trees refuse the row."""


def find_cuts(form: Form) -> dict[int, Array]:
    """Return, for each input, the values around which the model's answer jumps.

    For each distinct threshold of each feature made from a number (and each bin edge and clip
    limit on the way) the last value on its lower side, found by bisection over the
    floating-point numbers themselves, through whatever is done to the input before.

    Parameters
    ----------
    form : Form

    Returns
    -------
    dict of int to ndarray
        Input -> distinct values, ascending.
    """
    found: dict[int, list[Array]] = {}
    for node in leaves(form.structure.score):
        arrays = form.of(node.id)
        kernel = PlainKernel(node, arrays, len(form.structure.inputs))
        thresholds = _thresholds(arrays) if isinstance(node, Trees) else {}
        for j, source in enumerate(arrays["input"].tolist()):
            if form.structure.inputs[source].kind in {"number", "integer"}:
                for last, values in _levels(arrays, j, thresholds.get(j)):
                    cuts, crossed = _boundary(kernel, j, last, values)
                    found.setdefault(source, []).append(cuts[crossed])
    return {source: np.unique(np.concatenate(parts)) for source, parts in found.items()}


@dataclass(frozen=True)
class Aimed:
    """Changes to rows that lead to a node and stand at its threshold."""

    rows: Array
    """(n_changes,) which row to take."""
    inputs: Array
    """(n_changes,) which input to change."""
    values: Array
    """(n_changes,) the last value on the lower side of the node's threshold."""


def aim(form: Form, matrix: Array) -> Aimed:
    """Return, for each node that some row reaches, that row moved to the node's threshold.

    The other features stay, so the row still reaches the node: a threshold that is wrong there
    shows, however deep it lies.

    Parameters
    ----------
    form : Form
    matrix : ndarray, (n_rows, n_inputs)
        Rows to start from.
    """
    parts = [
        _aim_node(form, node, matrix)
        for node in leaves(form.structure.score)
        if isinstance(node, Trees)
    ]
    empty = Aimed(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return Aimed(
        *(
            np.concatenate([getattr(part, name) for part in (*parts, empty)])
            for name in ("rows", "inputs", "values")
        )
    )


def _aim_node(form: Form, node: Trees, matrix: Array) -> Aimed:
    arrays = form.of(node.id)
    kernel = PlainKernel(node, arrays, len(form.structure.inputs))
    count = int(np.clip(_WALKS // len(arrays["roots"]), 200, 4_000))
    # Rows that lack nothing come last, and win: one that came by for want of a value would turn off
    # before, once it has one.
    order = np.argsort(-np.isnan(matrix[:count]).sum(axis=1), kind="stable")
    seen, refused = kernel.features(matrix[order])
    nodes = arrays["nodes"]
    if refused or not len(matrix):
        return Aimed(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    visitor = kernel.visitors(seen)
    visitor = np.where(visitor >= 0, order[visitor], -1)
    inner = nodes["left"] != np.arange(len(nodes))
    met = np.flatnonzero(inner & (nodes["kind"] != KINDS.index("category")) & (visitor >= 0))
    met = met[:: max(1, len(met) // _MOST_NODES)]
    rows, inputs, values = [], [], []
    for j, source in enumerate(arrays["input"].tolist()):
        here = met[nodes["feature"][met] == j]
        numeric = form.structure.inputs[source].kind in {"number", "integer"}
        if not numeric or not len(here) or _looks_up(arrays, j):
            continue
        thresholds, which = np.unique(nodes["threshold"][here], return_inverse=True)
        cuts, crossed = _boundary(kernel, j, None, thresholds)
        good = crossed[which]
        rows.append(visitor[here][good])
        inputs.append(np.full(int(good.sum()), source))
        values.append(cuts[which][good])
    if not rows:
        return Aimed(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return Aimed(np.concatenate(rows), np.concatenate(inputs), np.concatenate(values))


def _looks_up(arrays: dict[str, Array], j: int) -> bool:
    return bool(np.isin(arrays["op"][arrays["first"][j] : arrays["first"][j + 1]], _LOOKS_UP).any())


def neighbours(cuts: Array, integer: bool) -> Array:
    """Return each cut with the representable values on both sides of it.

    Examples
    --------
    >>> neighbours(np.array([2.5]), integer=True)
    array([1., 2., 3.])
    """
    if integer:
        low = np.floor(cuts[np.abs(cuts) < 2.0**53])
        return np.unique(np.concatenate([low - 1, low, low + 1]))
    sides = np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf)
    return np.unique(np.concatenate([cuts, *sides]))


def _thresholds(arrays: dict[str, Array]) -> dict[int, Array]:
    nodes = arrays["nodes"]
    inner = nodes["left"] != np.arange(len(nodes))
    split = nodes[inner & (nodes["kind"] != KINDS.index("category"))]
    return {
        int(j): np.unique(split["threshold"][split["feature"] == j])
        for j in np.unique(split["feature"])
    }


def _levels(
    arrays: dict[str, Array], j: int, thresholds: Array | None
) -> Iterator[tuple[int | None, Array]]:
    """Yield values that matter, and before which step they do (None: after all)."""
    for k in range(int(arrays["first"][j]), int(arrays["first"][j + 1])):
        op = OPS[arrays["op"][k]]
        if arrays["op"][k] in _LOOKS_UP:
            return
        if op == "clip":
            yield k, np.unique([arrays["a"][k], arrays["b"][k]])
        elif op == "bin":
            edges = arrays["table"][arrays["at"][k] : arrays["at"][k] + arrays["size"][k]]
            # A row at an edge belongs above it.
            yield k, np.nextafter(edges, -np.inf)
    if thresholds is not None:
        yield None, thresholds


def _boundary(kernel: PlainKernel, j: int, last: int | None, values: Array) -> tuple[Array, Array]:
    """Bisect over doubles for the last value before the answer changes, and say if it does."""

    def below(keys: Array) -> Array:
        with np.errstate(all="ignore"):
            made, _ = kernel.column(j, _double(keys), last)
        return made <= values

    ends = np.array([-_LARGEST, _LARGEST])
    low, high = (np.full(len(values), key, dtype=np.int64) for key in _key(ends))
    first = below(low)
    crossed = first != below(high)
    for _ in range(64):
        middle = low // 2 + high // 2 + (low % 2 + high % 2) // 2
        stays = below(middle) == first
        low, high = np.where(stays, middle, low), np.where(stays, high, middle)
    return _double(low), crossed


def _key(values: Array) -> Array:
    """Number the doubles in their order."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
    return np.where(bits >= 0, bits, np.int64(-(2**63)) - bits)


def _double(keys: Array) -> Array:
    bits = np.where(keys >= 0, keys, np.int64(-(2**63)) - keys)
    return np.ascontiguousarray(bits, dtype=np.int64).view(np.float64)
