"""What answered rows look like, in the bins of the reference: counted as they pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.profile import CategorySketch, NumberSketch, Profile, Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gleis.serving.rows import Rows

_EXTRA = 3
"""Cells of a number behind its bins: missing, sum and sum of squares, from the reference's mean."""


class Sketches:
    """Sketches of a service's features, kept in cells that workers may share.

    They have the bins and categories of the reference profile, so that they merge with it and with
    each other by addition; only the extremes are not kept.

    Parameters
    ----------
    reference : Profile
        Of the package's training rows.
    cells : callable (name, count) -> ndarray of float64
        Where a feature's counts are kept; zero at first.

    Examples
    --------
    >>> from gleis.serving.rows import Rows
    >>> shops = CategorySketch(categories=("a", "b"), counts=(5, 5), other=0, missing=0)
    >>> sketches = Sketches(
    ...     Profile(rows=10, columns={"shop": shops}), lambda name, count: np.zeros(count)
    ... )
    >>> columns = {"shop": ["b", "b", "z", None]}
    >>> none = [None] * 4
    >>> sketches.add(Rows(count=4, features=columns, entities=none, times=none, flags={}))
    >>> sketches.profile().columns["shop"].counts
    (0, 2)
    """

    def __init__(
        self, reference: Profile, cells: Callable[[str, int], NDArray[np.float64]]
    ) -> None:
        self._reference = reference
        self._numbers: list[_Number] = []
        self._categories: list[_Category] = []
        for name, sketch in reference.columns.items():
            if isinstance(sketch, NumberSketch):
                found = cells(name, len(sketch.counts) + _EXTRA)
                self._numbers.append(_Number(name, sketch, found))
            else:
                self._categories.append(
                    _Category(name, sketch, cells(name, len(sketch.counts) + 2))
                )
        self._mean = np.array([[number.sketch.mean] for number in self._numbers])
        self._width = max((len(n.edges) for n in self._numbers), default=0) + 2
        self._offsets = np.arange(len(self._numbers))[:, None] * self._width

    def add(self, rows: Rows) -> None:
        """Count rows that were answered."""
        features = rows.features
        for category in self._categories:
            category.add(features[category.name])
        if not self._numbers:
            return
        values = np.array([features[number.name] for number in self._numbers], dtype=np.float64)
        missing = np.isnan(values)
        codes = np.array(
            [
                number.edges.searchsorted(line)
                for number, line in zip(self._numbers, values, strict=True)
            ]
        )
        codes[missing] = self._width - 1
        found = np.bincount(
            (codes + self._offsets).ravel(), minlength=self._offsets.size * self._width
        ).reshape(-1, self._width)
        away = values - self._mean
        away[missing] = 0.0
        sums, squares = away.sum(axis=1), np.einsum("ij,ij->i", away, away)
        for number, counts, total, square in zip(
            self._numbers, found, sums.tolist(), squares.tolist(), strict=True
        ):
            bins, cells = len(number.sketch.counts), number.cells
            cells[:bins] += counts[:bins]
            cells[bins] += counts[-1]
            cells[bins + 1] += total
            cells[bins + 2] += square

    def profile(self) -> Profile:
        """Return the sketches, in the reference's bins; ``low`` and ``high`` are None."""
        columns = {part.name: part.read(part.cells) for part in self._parts()}
        rows = next((sketch.rows for sketch in columns.values()), 0)
        return Profile(rows=rows, columns={name: columns[name] for name in self._reference.columns})

    def _parts(self) -> list[_Number | _Category]:
        return [*self._numbers, *self._categories]


class _Number:
    """One number's cells: bins, missing, sum and sum of squares from the reference's mean."""

    def __init__(self, name: str, sketch: NumberSketch, cells: NDArray[np.float64]) -> None:
        self.name, self.sketch, self.cells = name, sketch, cells
        self.edges = np.asarray(sketch.edges, dtype=np.float64)

    def read(self, cells: NDArray[np.float64]) -> Sketch:
        *counts, missing, total, square = cells.tolist()
        rows = sum(counts)
        away = total / rows if rows else 0.0
        return NumberSketch(
            edges=self.sketch.edges,
            counts=tuple(map(int, counts)),
            missing=int(missing),
            mean=self.sketch.mean + away if rows else 0.0,
            m2=max(0.0, square - rows * away * away),
            low=None,
            high=None,
        )


class _Category:
    """One category's cells: known values, others, missing."""

    def __init__(self, name: str, sketch: CategorySketch, cells: NDArray[np.float64]) -> None:
        self.name, self.sketch, self.cells = name, sketch, cells
        other = len(sketch.categories)
        self._places: dict[Any, int] = {value: at for at, value in enumerate(sketch.categories)}
        self._places[None] = other + 1
        self._other = other

    def add(self, values: list[Any]) -> None:
        get, other, cells = self._places.get, self._other, self.cells
        if len(values) < 8:
            for value in values:
                cells[get(value, other)] += 1
            return
        places = [get(value, other) for value in values]
        cells += np.bincount(places, minlength=len(cells))

    def read(self, cells: NDArray[np.float64]) -> Sketch:
        *counts, other, missing = map(int, cells.tolist())
        return CategorySketch(
            categories=self.sketch.categories, counts=tuple(counts), other=other, missing=missing
        )
