"""Outlier scores by the kernel of compiled models: one call a row, in C where it was built."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gleis.packaging.compiled.checks import check_form
from gleis.packaging.compiled.form import Form, Input, Linear, Structure, Trees
from gleis.packaging.compiled.native import NativeKernel, library
from gleis.packaging.compiled.plain import PlainKernel
from gleis.packaging.lines import places_among
from gleis.packaging.outliers.rarity import Rarity, number_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KernelScorer:
    """A sum of trees or of columns over the numbers and the categories' ``-log p``.

    Parameters
    ----------
    names : sequence of str
        The numbers, in the order of the first inputs; the categories of ``rarity`` follow.
    rarity : Rarity
    node : Trees or Linear
        What the kernel computes; it has one output.
    arrays : dict of str to ndarray
        Of the node.
    numeric : sequence of str
        See ``outlier_scorer``.
    kernel : {"native", "plain"}, optional
        Default: the one in C where it was built. Both give the same bits.

    Raises
    ------
    PackageError
        The arrays do not fit together.
    """

    def __init__(
        self,
        names: Sequence[str],
        rarity: Rarity,
        node: Trees | Linear,
        arrays: dict[str, NDArray[Any]],
        numeric: Sequence[str],
        kernel: Literal["native", "plain"] | None = None,
    ) -> None:
        self.names = tuple(names)
        self.rarity = rarity
        inputs = tuple(Input(name=name, kind="number") for name in (*names, *rarity.names))
        structure = Structure(inputs=inputs, score=node, place=(0,), wide=False)
        check_form(Form(structure, {f"{node.id}.{name}": part for name, part in arrays.items()}))
        native = kernel == "native" or (kernel is None and library() is not None)
        self._kernel = (NativeKernel if native else PlainKernel)(node, arrays, len(inputs))
        self._places = places_among(self.names, numeric)
        self._width = len(inputs)
        self._pack = struct.Struct(f"{self._width}d").pack

    def sums(
        self, columns: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the kernel's sums, (n_rows,); parameters as ``OutlierScorer.score`` has them."""
        count = len(next(iter(columns.values())))
        if count == 1 and isinstance(self._kernel, NativeKernel):
            return self._one(self._kernel, columns, numbers)
        return self.sums_of(self._matrix(columns, numbers, count))

    def inputs(self, row: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return one row as the kernel sees it, (n_inputs,)."""
        columns = {name: [value] for name, value in row.items()}
        found: NDArray[np.float64] = self._matrix(columns, None, 1)[0]
        return found

    def sums_of(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the kernel's sums of rows that ``inputs`` made, (n_rows,)."""
        sums, _ = self._kernel.score(matrix)
        found: NDArray[np.float64] = sums[:, 0]
        return found

    def _one(
        self,
        kernel: NativeKernel,
        columns: Mapping[str, Sequence[Any]],
        numbers: NDArray[np.float64] | None,
    ) -> NDArray[np.float64]:
        if numbers is None or self._places is None:
            row = [number_of(columns[name][0]) for name in self.names]
        else:
            row = numbers[self._places, 0].tolist()
        for name, known, unseen in self.rarity.look_up:
            row.append(known.get(columns[name][0], unseen))
        out, _ = kernel.score_row(self._pack(*row))
        return np.array((out[0],))

    def _matrix(
        self,
        columns: Mapping[str, Sequence[Any]],
        numbers: NDArray[np.float64] | None,
        count: int,
    ) -> NDArray[np.float64]:
        out = np.empty((count, self._width))
        if numbers is not None and self._places is not None:
            out[:, : len(self.names)] = numbers[self._places].T
        else:
            for place, name in enumerate(self.names):
                out[:, place] = np.asarray(columns[name], dtype=np.float64)
        for place, name in enumerate(self.rarity.names, len(self.names)):
            out[:, place] = self.rarity.of(name, columns[name])
        return out
