"""Features as columns of numbers, for the simpler models a candidate is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Column
from gleis.evidence.weighted import Floats

N_CATEGORIES = 50
"""Categories with a column of their own, the most frequent ones."""
_FAR = 1e6
"""Standard deviations beyond which a number is cut: it must not overflow a dot product."""
_HUGE = 1e30
"""Numbers beyond it are cut: trees hold them in float32."""


class Encoder(Protocol):
    """From a feature to columns of numbers, as fitted on training rows."""

    @property
    def width(self) -> int:
        """Columns; 0 for a feature that says nothing."""
        ...

    def __call__(self, values: pl.Series) -> Floats:
        """Return (n_rows, width)."""
        ...


@dataclass(frozen=True)
class StandardNumber:
    """A number in standard deviations from its mean; missing ones at the mean, and flagged."""

    mean: float
    scale: float
    """0 where the number does not vary."""
    flag: bool
    """Whether a column says that the value is missing."""

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.scale > 0) + int(self.flag)

    def __call__(self, values: pl.Series) -> Floats:
        """Return (n_rows, width)."""
        numbers = as_numbers(values)
        gone = ~np.isfinite(numbers)
        parts = []
        if self.scale > 0:
            known = np.clip(np.where(gone, self.mean, numbers), -_HUGE, _HUGE)
            parts.append(np.clip((known - self.mean) / self.scale, -_FAR, _FAR))
        if self.flag:
            parts.append(gone.astype(np.float64))
        return np.column_stack(parts) if parts else np.empty((len(numbers), 0))


@dataclass(frozen=True)
class PlainNumber:
    """A number as it is, NaN where it is missing: trees take both."""

    width: int

    def __call__(self, values: pl.Series) -> Floats:
        """Return (n_rows, width)."""
        return np.clip(as_numbers(values), -_HUGE, _HUGE)[:, None][:, : self.width]


@dataclass(frozen=True)
class Words:
    """Each known word as a line of numbers; one more line for other words and missing ones."""

    words: tuple[str, ...]
    table: Floats
    """(n_words + 1, width)."""

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.table.shape[1])

    def __call__(self, values: pl.Series) -> Floats:
        """Return (n_rows, width)."""
        return np.asarray(self.table[_places(values, self.words)])


def for_linear(values: pl.Series, column: Column, y: NDArray[np.generic]) -> Encoder:
    """Return the encoder of a linear model: standardised numbers, one column for each category.

    Parameters
    ----------
    values : polars.Series, (n_train,)
    column : Column
    y : ndarray, (n_train,)
        Not looked at.

    Examples
    --------
    >>> column = Column(name="n", kind="number")
    >>> values = pl.Series("n", [1.0, 3.0, None])
    >>> for_linear(values, column, np.zeros(3))(values)
    array([[-1.,  0.],
           [ 1.,  0.],
           [ 0.,  1.]])
    """
    if column.kind in ("number", "integer"):
        numbers = as_numbers(values)
        known = numbers[np.isfinite(numbers)]
        if not len(known):
            return StandardNumber(0.0, 0.0, flag=False)
        scale = float(known.std()) if known.min() < known.max() else 0.0
        return StandardNumber(float(known.mean()), scale, flag=len(known) < len(numbers))
    words = _frequent(values)[:N_CATEGORIES]
    if len(words) < 2 and not (words and values.null_count()):
        return Words(tuple(words), np.empty((len(words) + 1, 0)))
    return Words(tuple(words), np.vstack([np.eye(len(words)), np.zeros(len(words))]))


def for_tree(values: pl.Series, column: Column, y: NDArray[np.generic]) -> Encoder:
    """Return the encoder of a tree: numbers as they are, categories by their mean target.

    Parameters
    ----------
    values : polars.Series, (n_train,)
    column : Column
    y : ndarray, (n_train,)
        Class index or value. For several classes the categories are put in the order of the first
        principal component of their class shares.

    References
    ----------
    Fisher, W. D. (1958). On grouping for maximum homogeneity. JASA 53: the best split into two
    sets of categories is a cut of the order by the mean target. Coppersmith, D., Hong, S. J. &
    Hosking, J. R. M. (1999). Partitioning nominal attributes in decision trees. Data Mining and
    Knowledge Discovery 3, section 4, for several classes.

    Examples
    --------
    >>> column = Column(name="shop", kind="category")
    >>> values = pl.Series("shop", ["a", "b", "a", "b"])
    >>> for_tree(values, column, np.array([0.0, 4.0, 2.0, 6.0]))(values).ravel()
    array([1., 5., 1., 5.])
    """
    if column.kind in ("number", "integer"):
        return PlainNumber(int(values.n_unique() > 1))
    words = _frequent(values)
    places = _places(values, words)
    target = _direction(y, places, len(words) + 1)
    counts = np.bincount(places, minlength=len(words) + 1)
    sums = np.bincount(places, target, len(words) + 1)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), target.mean())
    return Words(tuple(words), means[:, None][:, : int(np.count_nonzero(counts) > 1)])


def as_numbers(values: pl.Series) -> Floats:
    """Return a column as float64, NaN where it is missing, (n_rows,)."""
    found: Floats = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found


def _direction(y: NDArray[np.generic], places: NDArray[np.intp], n_places: int) -> Floats:
    """Return a number a row whose mean orders the categories, (n_rows,)."""
    classes = np.unique(y)
    if y.dtype.kind == "f" or len(classes) <= 2:
        return y.astype(np.float64)
    codes = y.astype(np.intp)
    n_classes = int(codes.max()) + 1
    table = np.bincount(places * n_classes + codes, minlength=n_places * n_classes)
    table = table.reshape(n_places, n_classes).astype(np.float64)
    rows = table.sum(axis=1, keepdims=True)
    centred = (table / np.maximum(rows, 1.0) - table.sum(axis=0) / table.sum()) * np.sqrt(rows)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    return np.asarray(axis[codes], dtype=np.float64)


def _text(values: pl.Series) -> pl.Series:
    return (values.cast(pl.Int8) if values.dtype == pl.Boolean else values).cast(pl.String)


def _frequent(values: pl.Series) -> list[str]:
    """Return the words, the most frequent first."""
    counts = _text(values).drop_nulls().alias("word").value_counts(sort=False, name="n")
    found: list[str] = counts.sort("n", "word", descending=[True, False])["word"].to_list()
    return found


def _places(values: pl.Series, words: Sequence[str]) -> NDArray[np.intp]:
    """Return each row's place among the words; ``len(words)`` for others and missing ones."""
    if not words:
        return np.zeros(len(values), dtype=np.intp)
    places = pl.Series(np.arange(len(words)))
    found = _text(values).replace_strict(
        pl.Series(words), places, default=len(words), return_dtype=pl.Int64
    )
    return found.fill_null(len(words)).to_numpy().astype(np.intp)
