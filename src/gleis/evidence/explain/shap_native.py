"""The Shapley values of trees in C, where it was compiled at installation."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.explain.forest import Edges, Forest
from gleis.store.native_code import load_native

Array = NDArray[Any]
SOURCE = Path(__file__).with_name("shap_kernel.c")
LIBRARY = SOURCE.with_suffix(".so")
_NO_MEMORY = -1
_LAYOUT = 1
_NODE = np.dtype(
    [
        ("threshold", "<f8"),
        ("unknown", "<f8"),
        ("feature", "<i4"),
        ("left", "<i4"),
        ("right", "<i4"),
        ("at", "<i4"),
        ("earlier", "<i4"),
        ("size", "<i2"),
        ("kind", "u1"),
        ("default_left", "u1"),
    ]
)
"""``Node`` of ``shap_kernel.c``."""


_POINTERS = ("nodes", "bits", "value", "roots", "target", "points", "t", "weight")


class _Forest(ctypes.Structure):
    """``Forest`` of ``shap_kernel.c``."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_features", "n_outputs", "n_trees", "width")),
        ("depth", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in _POINTERS),
    )


@cache
def library() -> Any | None:
    """Return the compiled library, or None where there was no compiler."""
    found = load_native(LIBRARY, _LAYOUT)
    if found is not None:
        found.gleis_shap.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_int64, ctypes.c_void_p]
        found.gleis_shap.restype = ctypes.c_int64
    return found


class NativeShap:
    """Shapley values of a forest; see ``TreeShap``."""

    def __init__(self, forest: Forest, edges: Edges) -> None:
        found = library()
        assert found is not None, "NativeShap is chosen only where the library is"
        self._call = found.gleis_shap
        self._shape = (forest.n_features, forest.n_outputs)
        # The structure points into these.
        self._arrays = _arrays(forest, edges)
        t, weight = _quadratures(int(self._arrays["points"].max(initial=1)))
        self._arrays |= {f"t{q}": rule for q, rule in enumerate(t)}
        self._arrays |= {f"weight{q}": rule for q, rule in enumerate(weight)}
        self._arrays |= {"t": _pointers(t), "weight": _pointers(weight)}
        self._forest = _Forest(
            n_features=forest.n_features,
            n_outputs=forest.n_outputs,
            n_trees=len(forest.roots),
            width=forest.value.shape[1],
            depth=max(1, int(edges.level.max(initial=0))),
            **{name: self._arrays[name].ctypes.data for name in _POINTERS},
        )
        self._at = ctypes.addressof(self._forest)

    def values(self, x: Array) -> NDArray[np.float64]:
        """Return what each feature adds to the sums, (n_rows, n_features, n_outputs)."""
        rows = np.ascontiguousarray(x, dtype=np.float64)
        out = np.zeros((len(rows), *self._shape))
        if self._call(self._at, rows.ctypes.data, len(rows), out.ctypes.data) == _NO_MEMORY:
            raise MemoryError
        return out


def _arrays(forest: Forest, edges: Edges) -> dict[str, Array]:
    nodes = np.zeros(len(forest.left), dtype=_NODE)
    leaf = forest.left == np.arange(len(nodes))
    for name in _NODE.names or ():
        nodes[name] = getattr(edges if name in {"unknown", "earlier"} else forest, name)
    nodes["feature"][leaf] = 0
    players = np.zeros(len(forest.roots), dtype=np.int64)
    known = edges.tree >= 0
    np.maximum.at(players, edges.tree[known], edges.players[known])
    return {
        "nodes": nodes,
        "bits": np.ascontiguousarray(forest.bits, dtype=np.uint32),
        "value": np.ascontiguousarray(forest.value, dtype=np.float64),
        "roots": np.ascontiguousarray(forest.roots, dtype=np.int32),
        "target": np.ascontiguousarray(forest.target, dtype=np.int32),
        "points": np.maximum(1, (players + 1) // 2).astype(np.int32),
    }


def _quadratures(most: int) -> tuple[list[Array], list[Array]]:
    """Return points and weights on [0, 1] by their number, 0 unused."""
    rules = [np.polynomial.legendre.leggauss(max(1, q)) for q in range(most + 1)]
    return [(t + 1) / 2 for t, _ in rules], [weight / 2 for _, weight in rules]


def _pointers(arrays: list[Array]) -> Array:
    return np.array([array.ctypes.data for array in arrays], dtype=np.uintp)
