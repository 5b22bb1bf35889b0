"""A compiled form is held against itself before a kernel follows its indices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import PackageError
from gleis.packaging.compiled.form import (
    ARRAYS,
    KINDS,
    LINKS,
    NODE,
    OPS,
    Curve,
    Form,
    Linear,
    Mean,
    Node,
    Trees,
)

_FEATURES = {
    "input": "<i4",
    "first": "<i4",
    "op": "|u1",
    "a": "<f8",
    "b": "<f8",
    "at": "<i4",
    "size": "<i4",
    "table": "<f8",
}
_TREES = {
    "roots": "<i4",
    "target": "<i4",
    "value": "<f8",
    "cover": "<f8",
    "bits": "<u4",
    "init": "<f8",
}
_LOOKUPS = tuple(OPS.index(name) for name in ("table", "allow"))
_SEARCHES = tuple(OPS.index(name) for name in ("match", "bin"))


def check_form(form: Form) -> None:
    """Check that every index is in range and every walk down a tree ends.

    Raises
    ------
    PackageError
        Naming the array that is not as it must be.
    """
    structure = form.structure
    for node in leaves(structure.score):
        _check_leaf(node, form.of(node.id), len(structure.inputs))
    outputs = _outputs(structure.score)
    _hold(all(-1 <= k < outputs for k in structure.place), "place")
    _hold(structure.wide or len(structure.place) == 1, "place")


def leaves(node: Node) -> Iterator[Trees | Linear]:
    """Yield the parts that read features, in order."""
    if isinstance(node, Mean):
        for member in node.members:
            yield from leaves(member)
    elif isinstance(node, Curve):
        yield from leaves(node.of)
    else:
        yield node


def _outputs(node: Node) -> int:
    if isinstance(node, Mean):
        found = {_outputs(member) for member in node.members}
        _hold(len(found) == 1 and len(node.weights) == len(node.members), "members")
        return found.pop()
    if isinstance(node, Curve):
        _check_curve(node, _outputs(node.of))
        return _outputs(node.of)
    return node.outputs


def _check_curve(node: Curve, outputs: int) -> None:
    if node.kind == "isotonic":
        _hold(len(node.x) == len(node.y) == outputs, "curve")
        for x, y in zip(node.x, node.y, strict=True):
            _hold(len(x) == len(y) > 0 and bool((np.diff(x) >= 0).all()), "curve")
    elif node.kind in {"sigmoid", "affine"}:
        _hold(len(node.a) == len(node.b) == outputs, "curve")


def _check_leaf(node: Trees | Linear, arrays: dict[str, NDArray[Any]], n_inputs: int) -> None:
    _hold(node.outputs >= 1 and node.link in LINKS, "link")
    _check_types(arrays, _FEATURES)
    n_features = len(arrays["input"])
    _check_features(arrays, n_inputs)
    if isinstance(node, Linear):
        _check_types(arrays, {"init": "<f8"})
        coef = arrays.get("coef")
        _hold(coef is not None and coef.dtype == "<f8", "coef")
        _hold(coef is not None and coef.shape == (node.outputs, n_features), "coef")
    else:
        _check_trees(node, arrays, n_features)
    _hold(len(arrays["init"]) == node.outputs, "init")


def _check_types(arrays: Mapping[str, NDArray[Any]], expected: Mapping[str, str]) -> None:
    for name, dtype in expected.items():
        found = arrays.get(name)
        dimensions = 2 if name == "value" else 1
        _hold(found is not None and found.dtype == dtype and found.ndim == dimensions, name)


def _check_features(arrays: dict[str, NDArray[Any]], n_inputs: int) -> None:
    source, first, op = arrays["input"], arrays["first"], arrays["op"]
    steps = len(op)
    _hold(bool(((source >= 0) & (source < n_inputs)).all()), "input")
    _hold(len(first) == len(source) + 1 and first[0] == 0 and first[-1] == steps, "first")
    _hold(bool((np.diff(first) >= 0).all()), "first")
    _hold(bool((op < len(OPS)).all()), "op")
    _hold(all(len(arrays[name]) == steps for name in ("a", "b", "at", "size")), "size")
    at, size = arrays["at"].astype(np.int64), arrays["size"].astype(np.int64)
    _hold(bool(((at >= 0) & (size >= 0) & (at + size <= len(arrays["table"]))).all()), "at")
    _hold(bool((size[np.isin(op, _LOOKUPS)] >= 2).all()), "size")
    for k in np.flatnonzero(np.isin(op, _SEARCHES)):
        known = arrays["table"][at[k] : at[k] + size[k]]
        _hold(bool((np.diff(known) >= 0).all()), "table")


def _check_trees(node: Trees, arrays: dict[str, NDArray[Any]], n_features: int) -> None:
    _check_types(arrays, _TREES)
    nodes, roots, target = arrays.get("nodes"), arrays["roots"], arrays["target"]
    if nodes is None or nodes.dtype != NODE or nodes.ndim != 1:
        raise _refuse("nodes")
    here = np.arange(len(nodes))
    left = nodes["left"].astype(np.int64)
    inner = left != here
    # A child comes after its parent, so that a walk goes on and ends.
    _hold(bool((left >= here).all() and (left[inner] + 1 < len(nodes)).all()), "nodes")
    _hold(bool(((nodes["feature"] >= 0) & (nodes["feature"] < max(n_features, 1))).all()), "nodes")
    _hold(bool((nodes["kind"] < len(KINDS)).all() and (nodes["default_left"] < 2).all()), "nodes")
    _hold(n_features > 0 or not inner.any(), "nodes")
    # A leaf must not move on, whatever it reads.
    leaf = nodes[~inner]
    still = (leaf["kind"] == 0) & (leaf["default_left"] == 1) & np.isposinf(leaf["threshold"])
    _hold(bool(still.all()), "nodes")
    sets = nodes[nodes["kind"] == KINDS.index("category")]
    words = (sets["size"].astype(np.int64) + 31) // 32
    _hold(bool((sets["at"] >= 0).all() and (sets["size"] >= 0).all()), "bits")
    _hold(bool((sets["at"] + words <= len(arrays["bits"])).all()), "bits")
    _hold(bool(((roots >= 0) & (roots < len(nodes))).all()), "roots")
    value = arrays["value"]
    _hold(len(value) == len(nodes) == len(arrays["cover"]) and value.shape[1] >= 1, "value")
    _hold(len(target) == len(roots), "target")
    _hold(bool(((target >= 0) & (target + value.shape[1] <= node.outputs)).all()), "target")


def _hold(holds: bool, name: str) -> None:
    if not holds:
        raise _refuse(name)


def _refuse(name: str) -> PackageError:
    return PackageError(
        "The compiled form is not whole",
        seen=name,
        remedy="Do not load it; build the package again with gleis run.",
        field=ARRAYS,
    )
