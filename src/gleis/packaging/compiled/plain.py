"""What ``kernel.c`` does, in numpy alone and bit for bit the same: slower, needs no compiler."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.packaging.compiled.form import NODE, OPS, Linear, Trees

Array = NDArray[Any]
_WALKS = 1 << 18
"""Walks down a tree that are done at once."""


class PlainKernel:
    """One node of a compiled model, ready to score.

    Parameters
    ----------
    node : Trees or Linear
    arrays : dict of str to ndarray
        Of the node, checked.
    n_inputs : int
        Columns of the matrix.
    """

    def __init__(self, node: Trees | Linear, arrays: dict[str, Array], n_inputs: int) -> None:
        self.node = node
        self.outputs = node.outputs
        self.n_features = len(arrays["input"])
        self._arrays = arrays
        if isinstance(node, Trees):
            nodes = arrays["nodes"]
            self._nodes = {name: np.ascontiguousarray(nodes[name]) for name in NODE.fields or ()}
            self._plain = not self._nodes["kind"].any()

    def features(self, matrix: Array) -> tuple[Array, int]:
        """Return what the trees or the dot product see, and which feature refuses (0: none)."""
        out = np.empty((len(matrix), self.n_features))
        source, first = self._arrays["input"], self._arrays["first"]
        bare = np.flatnonzero(first[:-1] == first[1:])
        out[:, bare] = matrix[:, source[bare]]
        # The first row that is refused decides, as if rows were taken one by one.
        refused = len(matrix), 0
        for j in np.flatnonzero(first[:-1] != first[1:]):
            out[:, j], row = self.column(int(j), matrix[:, source[j]])
            refused = min(refused, (row, int(j) + 1))
        return out, refused[1]

    def score(self, matrix: Array) -> tuple[Array, int]:
        """Return outputs (n_rows, n_outputs), and which feature refuses (0: none)."""
        x, refused = self.features(matrix)
        if refused:
            return x, refused
        with np.errstate(all="ignore"):
            sums = self._linear(x) if isinstance(self.node, Linear) else self._trees(x)
            return _LINKS[self.node.link](sums), 0

    def column(self, j: int, x: Array, last: int | None = None) -> tuple[Array, int]:
        """Return feature ``j`` of values of its input, and the first row it refuses.

        ``last`` stops before that step, counted over all features.
        """
        arrays, never = self._arrays, len(x)
        for k in range(arrays["first"][j], arrays["first"][j + 1] if last is None else last):
            name, a, b = OPS[arrays["op"][k]], arrays["a"][k], arrays["b"][k]
            entries = arrays["table"][arrays["at"][k] : arrays["at"][k] + arrays["size"][k]]
            if name in {"allow", "finite"}:
                wrong = (
                    entries[_places(x, len(entries))] == 0
                    if name == "allow"
                    else ~np.isfinite(x) & ~((a != 0) & np.isnan(x))
                )
                never = min(never, int(wrong.argmax())) if wrong.any() else never
            else:
                with np.errstate(all="ignore"):
                    x = _STEPS[name](x, a, b, entries)
        return x, never

    def _linear(self, x: Array) -> Array:
        coef, init = self._arrays["coef"], self._arrays["init"]
        sums = np.zeros((len(x), len(coef)))
        for j in range(x.shape[1]):
            sums = sums + x[:, j, None] * coef[None, :, j]
        return sums + init

    def _trees(self, x: Array) -> Array:
        roots = self._arrays["roots"]
        chunk = max(1, _WALKS // max(1, len(roots)))
        parts = [self._sums(x[i : i + chunk]) for i in range(0, len(x), chunk)]
        return np.concatenate(parts) if parts else np.empty((0, self.outputs))

    def _sums(self, x: Array) -> Array:
        assert isinstance(self.node, Trees)
        value, target = self._arrays["value"], self._arrays["target"]
        single, width = self.node.single, value.shape[1]
        number = np.float32 if single else np.float64
        leaves = self._walk(x)
        out = np.tile(self._arrays["init"], (len(x), 1)).astype(number)
        for t, start in enumerate(target):
            part = out[:, start : start + width]
            np.add(part, value[leaves[:, t]].astype(number), out=part)
        sums = out.astype(np.float64)
        return sums / self.node.divide if self.node.divide != 1.0 else sums

    def visitors(self, x: Array) -> Array:
        """Return for each node the last row of features that comes by, or -1; (n_nodes,)."""
        found = np.full(len(self._nodes["left"]), -1)
        self._walk(x, found)
        return found

    def _walk(self, x: Array, visited: Array | None = None) -> Array:
        """Return the leaf of every row in every tree, (n_rows, n_trees)."""
        at = np.tile(self._arrays["roots"], (len(x), 1))
        rows = np.arange(len(x))[:, None]
        while True:
            if visited is not None:
                visited[at] = rows
            following = self._step(at, x[rows, self._nodes["feature"][at]])
            if (following == at).all():
                return at
            at = following

    def _step(self, at: Array, x: Array) -> Array:
        nodes = self._nodes
        left, default = nodes["left"][at], nodes["default_left"][at] == 1
        right = (x > nodes["threshold"][at]) | (np.isnan(x) & ~default)
        if not self._plain:
            kind = nodes["kind"][at]
            for code, turn in ((1, self._category), (2, self._zero), (3, self._zero)):
                if (here := kind == code).any():
                    right[here] = turn(at[here], x[here], default[here], code)
        following: Array = left + right
        return following

    def _category(self, at: Array, x: Array, default: Array, code: int) -> Array:
        known = (x > -1.0) & (x < self._nodes["size"][at])
        c = np.where(known, x, 0.0).astype(np.int64)
        # An empty set has no word of its own to look at.
        place = np.where(known, self._nodes["at"][at] + (c >> 5), 0)
        bits = self._arrays["bits"]
        word = bits[place] if len(bits) else np.zeros(len(place), np.uint32)
        set_ = (word >> (c & 31).astype(np.uint32)) & np.uint32(1)
        turned: Array = np.where(known, set_ == 0, ~default)
        return turned

    def _zero(self, at: Array, x: Array, default: Array, code: int) -> Array:
        x = np.where(np.isnan(x), 0.0, x)
        right = ~(x <= self._nodes["threshold"][at])
        small = np.float64(np.float32(1e-35))
        return np.where((x >= -small) & (x <= small), ~default, right) if code == 3 else right


def _places(x: Array, size: int) -> Array:
    known = (x >= 0) & (x < size - 2)
    return np.where(np.isnan(x), 0, np.where(known, np.where(known, x, 0.0) + 2, 1)).astype(
        np.int64
    )


def _match(x: Array, known: Array) -> Array:
    if not len(known):
        return np.where(np.isnan(x), x, -1.0)
    place = np.minimum(np.searchsorted(known, x), len(known) - 1)
    return np.where(np.isnan(x), x, np.where(known[place] == x, place, -1.0))


def _clip(x: Array, low: float, high: float) -> Array:
    return np.where(x < low, low, np.where(x > high, high, x))


_STEPS: dict[str, Callable[[Array, float, float, Array], Array]] = {
    "fill": lambda x, a, b, t: np.where(np.isnan(x), a, x),
    "sub": lambda x, a, b, t: x - a,
    "div": lambda x, a, b, t: x / a,
    "mul": lambda x, a, b, t: x * a,
    "add": lambda x, a, b, t: x + a,
    "clip": lambda x, a, b, t: _clip(x, a, b),
    "isnan": lambda x, a, b, t: np.isnan(x).astype(np.float64),
    "table": lambda x, a, b, t: t[_places(x, len(t))],
    "match": lambda x, a, b, t: _match(x, t),
    "bin": lambda x, a, b, t: np.where(np.isnan(x), x, np.searchsorted(t, x, side="right")),
    "float32": lambda x, a, b, t: x.astype(np.float32).astype(np.float64),
}


def _each(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """The exp of numpy differs from C's in the last bit, so C's is asked, value by value."""

    def apply(x: Array) -> Array:
        return np.array([function(v) for v in x.ravel().tolist()]).reshape(x.shape)

    return apply


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _expf() -> Callable[[float], float]:
    """C's expf, which XGBoost uses; rounding exp is one unit off in a few of 1,000 values."""
    try:
        found = ctypes.CDLL(None).expf
    except (OSError, AttributeError, TypeError):
        return lambda x: float(np.float32(_exp(x)))
    found.argtypes, found.restype = [ctypes.c_float], ctypes.c_float
    call: Callable[[float], float] = found
    return call


_exp32 = _each(_expf())
_exps = _each(_exp)


def _logistic(x: Array) -> Array:
    e = _exps(-np.abs(x))
    return np.where(np.isnan(x), x, np.where(x >= 0, 1.0 / (1.0 + e), e / (1.0 + e)))


def _softmax(x: Array) -> Array:
    e = _exps(x - x.max(axis=1, keepdims=True))
    return e / _sum(e)


def _softmax32(x: Array) -> Array:
    x = x.astype(np.float32)
    e = _exp32((x - x.max(axis=1, keepdims=True)).astype(np.float64)).astype(np.float32)
    total = _sum(e.astype(np.float64)).astype(np.float32)
    return (e / total).astype(np.float64)


def _one_vs_rest(x: Array) -> Array:
    p = _logistic(x)
    total = _sum(p)
    return np.where(total == 0, 1.0 / x.shape[1], p / total)


def _logistic32(x: Array) -> Array:
    e = _exp32(-x.astype(np.float32).astype(np.float64)).astype(np.float32)
    return (np.float32(1) / (e + np.float32(1))).astype(np.float64)


def _sum(x: Array) -> Array:
    """Left to right; numpy's own sum goes by pairs."""
    return np.cumsum(x, axis=1)[:, -1:]


_LINKS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda x: x,
    "logistic": _logistic,
    "softmax": _softmax,
    "exp": _exps,
    "one-vs-rest": _one_vs_rest,
    "logistic32": _logistic32,
    "softmax32": _softmax32,
    "round32": lambda x: x.astype(np.float32).astype(np.float64),
    "exp32": lambda x: _exp32(x.astype(np.float32).astype(np.float64)),
}
