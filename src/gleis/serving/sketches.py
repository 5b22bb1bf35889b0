"""What answered rows look like, in the bins of the reference: counted as they pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.profile import CategorySketch, NumberSketch, Profile, Sketch
from gleis.packaging.lines import places_among

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gleis.serving.rows import Rows


class Sketches:
    """Sketches of a service's features, kept in one block of cells that workers may share.

    They have the bins and categories of the reference profile, so that they merge with it and with
    each other by addition; only the extremes are not kept.

    The block holds the counts of each feature (a number's bins and its missing values, a category's
    known values, others and missing), then each number's sum and sum of squares, both taken from
    the reference's mean.

    Parameters
    ----------
    reference : Profile
        Of the package's training rows.
    cells : callable (count) -> ndarray of float64, (count,)
        Where the block is kept; zero at first.
    numeric : sequence of str
        Names of the lines of ``Rows.numbers``, where rows have them.

    Examples
    --------
    >>> from gleis.serving.rows import Rows
    >>> shops = CategorySketch(categories=("a", "b"), counts=(5, 5), other=0, missing=0)
    >>> sketches = Sketches(Profile(rows=10, columns={"shop": shops}), np.zeros)
    >>> columns = {"shop": ["b", "b", "z", None]}
    >>> none = [None] * 4
    >>> sketches.add(Rows(count=4, features=columns, entities=none, times=none, flags={}))
    >>> sketches.profile().columns["shop"].counts
    (0, 2)
    """

    def __init__(
        self,
        reference: Profile,
        cells: Callable[[int], NDArray[np.float64]],
        numeric: Sequence[str] = (),
    ) -> None:
        self._reference = reference
        numbers: list[tuple[str, NumberSketch]] = []
        categories: list[tuple[str, CategorySketch]] = []
        for name, sketch in reference.columns.items():
            if isinstance(sketch, NumberSketch):
                numbers.append((name, sketch))
            else:
                categories.append((name, sketch))
        self._numbers = tuple(name for name, _ in numbers)
        self._edges = [np.asarray(sketch.edges, dtype=np.float64) for _, sketch in numbers]
        self._mean = np.array([[sketch.mean] for _, sketch in numbers])
        self._places = places_among(self._numbers, numeric)
        self._look_up = [
            (name, _codes(sketch.categories), len(sketch.categories)) for name, sketch in categories
        ]
        sizes = [len(sketch.counts) + 1 for _, sketch in numbers]
        sizes += [len(sketch.counts) + 2 for _, sketch in categories]
        self._names = (*self._numbers, *(name for name, _ in categories))
        self._starts = np.cumsum([0, *sizes])
        self._offsets = self._starts[:-1, None]
        self._counted, count = int(self._starts[-1]), len(numbers)
        block = cells(self._counted + 2 * count)
        self._counts = block[: self._counted]
        self._sums = block[self._counted : self._counted + count]
        self._squares = block[self._counted + count :]

    def add(self, rows: Rows) -> None:
        """Count rows that were answered."""
        if not self._names:
            return
        places = np.empty((len(self._names), rows.count), dtype=np.intp)
        if self._edges:
            self._add_numbers(self._values(rows), places)
        for at, (name, codes, other) in enumerate(self._look_up, start=len(self._edges)):
            get = codes.get
            places[at] = [get(value, other) for value in rows.features[name]]
        places += self._offsets
        self._counts += np.bincount(places.ravel(), minlength=self._counted)

    def profile(self) -> Profile:
        """Return the sketches, in the reference's bins; ``low`` and ``high`` are None."""
        columns: dict[str, Sketch] = {}
        for at, name in enumerate(self._names):
            sketch = self._reference.columns[name]
            counts = self._counts[self._starts[at] : self._starts[at + 1]]
            if isinstance(sketch, NumberSketch):
                total, square = float(self._sums[at]), float(self._squares[at])
                columns[name] = _number(sketch, counts, total, square)
            else:
                columns[name] = _category(sketch, counts)
        rows = next((sketch.rows for sketch in columns.values()), 0)
        return Profile(rows=rows, columns={name: columns[name] for name in self._reference.columns})

    def _values(self, rows: Rows) -> NDArray[np.float64]:
        """Return the sketched numbers, (n_numbers, n_rows)."""
        if rows.numbers is not None and self._places is not None:
            return rows.numbers[self._places]
        return np.array([rows.features[name] for name in self._numbers], dtype=np.float64)

    def _add_numbers(self, values: NDArray[np.float64], places: NDArray[np.intp]) -> None:
        """Add to the sums, and note each value's place among its feature's counts."""
        for at, edges in enumerate(self._edges):
            places[at] = edges.searchsorted(values[at])
        away = values - self._mean
        missing = np.isnan(away)
        if missing.any():  # it was sorted behind all numbers: into the last bin
            places[: len(values)] += missing
            away[missing] = 0.0
        self._sums += away.sum(axis=1)
        self._squares += np.einsum("ij,ij->i", away, away)


def sketched_as(digest: str) -> str:
    """Return the name that workers count the rows of a version under."""
    return f"sketch\t{digest}"


def _codes(categories: Sequence[str]) -> dict[Any, int]:
    """Return the place of each known value; a missing one is behind the others."""
    codes: dict[Any, int] = {value: at for at, value in enumerate(categories)}
    codes[None] = len(categories) + 1
    return codes


def _number(
    sketch: NumberSketch, cells: NDArray[np.float64], total: float, square: float
) -> NumberSketch:
    *counts, missing = cells.tolist()
    rows = sum(counts)
    away = total / rows if rows else 0.0
    return NumberSketch(
        edges=sketch.edges,
        counts=tuple(map(int, counts)),
        missing=int(missing),
        mean=sketch.mean + away if rows else 0.0,
        m2=max(0.0, square - rows * away * away),
        low=None,
        high=None,
    )


def _category(sketch: CategorySketch, cells: NDArray[np.float64]) -> CategorySketch:
    *counts, other, missing = map(int, cells.tolist())
    return CategorySketch(
        categories=sketch.categories, counts=tuple(counts), other=other, missing=missing
    )
