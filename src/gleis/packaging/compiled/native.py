"""The kernel in C, where it was compiled at installation."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.packaging.compiled.form import LINKS, Linear, Trees
from gleis.store.native_code import load_native

Array = NDArray[Any]
SOURCE = Path(__file__).with_name("kernel.c")
LIBRARY = SOURCE.with_suffix(".so")
_NO_MEMORY = -1
_LAYOUT = 1

_POINTERS = frozenset(
    ("input", "first", "at", "size", "op", "a", "b", "table", "nodes", "roots", "target", "value")
) | {"init", "coef", "bits"}


class _Program(ctypes.Structure):
    """``Program`` of ``kernel.c``."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_inputs", "n_features", "n_outputs")),
        *((name, ctypes.c_int64) for name in ("n_trees", "width")),
        *((name, ctypes.c_void_p) for name in ("input", "first", "at", "size", "op", "a", "b")),
        *((name, ctypes.c_void_p) for name in ("table", "nodes", "roots", "target", "value")),
        *((name, ctypes.c_void_p) for name in ("init", "coef", "bits")),
        ("divide", ctypes.c_double),
        ("single", ctypes.c_int32),
        ("link", ctypes.c_int32),
    )


@cache
def library() -> Any | None:
    """Return the compiled library, or None where there was no compiler."""
    found = load_native(LIBRARY, _LAYOUT)
    if found is None:
        return None
    for function in (found.gleis_score, found.gleis_features):
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
        function.restype = ctypes.c_int64
    return found


class NativeKernel:
    """One node of a compiled model, ready to score; see ``PlainKernel``."""

    def __init__(self, node: Trees | Linear, arrays: dict[str, Array], n_inputs: int) -> None:
        found = library()
        assert found is not None, "NativeKernel is chosen only where the library is"
        self.node = node
        self.outputs = node.outputs
        self.n_features = len(arrays["input"])
        # The program points into these.
        self._arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self._program = _program(node, self._arrays, n_inputs)
        self._score = found.gleis_score
        self._features = found.gleis_features
        self._at = ctypes.addressof(self._program)
        self._row = ctypes.c_double * self.outputs

    def features(self, matrix: Array) -> tuple[Array, int]:
        """Return what the trees or the dot product see, and which feature refuses (0: none)."""
        return self._call(self._features, matrix, self.n_features)

    def score(self, matrix: Array) -> tuple[Array, int]:
        """Return outputs (n_rows, n_outputs), and which feature refuses (0: none)."""
        return self._call(self._score, matrix, self.outputs)

    def score_row(self, packed: bytes) -> tuple[Any, int]:
        """Return the outputs of one row given as native doubles: the shortest way."""
        out = self._row()
        return out, self._score(self._at, packed, 1, out)

    def _call(self, function: Any, matrix: Array, width: int) -> tuple[Array, int]:
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        out = np.empty((len(matrix), width))
        refused = function(self._at, matrix.ctypes.data, len(matrix), out.ctypes.data)
        if refused == _NO_MEMORY:
            raise MemoryError
        return out, refused


def _program(node: Trees | Linear, arrays: dict[str, Array], n_inputs: int) -> _Program:
    program = _Program()
    program.n_inputs, program.n_features = n_inputs, len(arrays["input"])
    program.n_outputs, program.link = node.outputs, LINKS.index(node.link)
    program.divide = 1.0
    if isinstance(node, Trees):
        program.n_trees, program.width = len(arrays["roots"]), arrays["value"].shape[1]
        program.divide, program.single = node.divide, int(node.single)
    for name in _POINTERS & set(arrays):
        setattr(program, name, arrays[name].ctypes.data)
    return program
