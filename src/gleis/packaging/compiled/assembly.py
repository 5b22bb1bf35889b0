"""The parts of a compiled form, gathered while an estimator is translated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gleis.packaging.compiled.form import Linear, Trees
from gleis.packaging.compiled.grove import Tree, lay_out
from gleis.packaging.compiled.symbols import Step, Table, feature_arrays


class Assembly:
    """Arrays by name; every leaf of the score gets a prefix of its own."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self._count = 0

    def trees(
        self,
        table: Table,
        trees: Sequence[Tree],
        init: ArrayLike,
        last: Sequence[Step] = (),
        **settings: Any,
    ) -> Trees:
        """Enter trees; ``last`` is done to each of their features."""
        start = np.atleast_1d(np.asarray(init, dtype="<f8"))
        arrays = lay_out(trees) | feature_arrays(table.symbols, last) | {"init": start}
        return Trees(id=self._enter(arrays), outputs=len(start), **settings)

    def linear(
        self, table: Table, coef: ArrayLike, init: ArrayLike, last: Sequence[Step], link: str
    ) -> Linear:
        """Enter a dot product: coef (n_outputs, n_features), init (n_outputs,)."""
        weights = np.atleast_2d(np.asarray(coef, dtype="<f8"))
        start = np.zeros(len(weights)) + np.asarray(init, dtype="<f8").ravel()
        arrays = feature_arrays(table.symbols, last) | {"coef": weights, "init": start}
        return Linear(id=self._enter(arrays), outputs=len(weights), link=link)

    def _enter(self, arrays: dict[str, NDArray[Any]]) -> str:
        prefix, self._count = str(self._count), self._count + 1
        self.arrays |= {f"{prefix}.{name}": array for name, array in arrays.items()}
        return prefix
