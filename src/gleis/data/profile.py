"""Profile sketches: a table's columns in fixed bins, which merge by addition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gleis.contracts.errors import DataError
from gleis.contracts.profile import CategorySketch, NumberSketch, Profile, Sketch
from gleis.data.bins import Counts, bin_counts, check_bins, kind_of_bins, quantile

__all__ = [
    "Codes",
    "Counts",
    "as_numbers",
    "bin_counts",
    "check_bins",
    "code_values",
    "merge",
    "profile",
    "quantile",
    "sketch_number",
]

_SAMPLE = 200_000
"""Bin edges of longer columns come from an even sample of about so many rows; counts never do."""

Codes = NDArray[np.int64]


def profile(
    frame: pl.DataFrame, columns: Sequence[str], like: Profile | None = None, bins: int = 32
) -> Profile:
    """Sketch columns of a table.

    Parameters
    ----------
    frame : polars.DataFrame
        (n_rows, any). Null, NaN and infinite values count as missing.
    columns : sequence of str
        Columns to sketch. Numbers and booleans (as 0 and 1) become a ``NumberSketch``, text a
        ``CategorySketch``.
    like : Profile, optional
        Use its bins and categories, so that the two can be compared and merged; values of an
        unknown category count as ``other``.
    bins : int
        Number bins between the smallest and the largest value, at least 1, without ``like``.

    Returns
    -------
    Profile

    Raises
    ------
    DataError
        If a column is absent, or neither number, boolean nor text.

    Examples
    --------
    >>> flights = pl.DataFrame({"delay": [1.0, 4.0, None], "carrier": ["UA", "AA", "UA"]})
    >>> seen = profile(flights, ["delay", "carrier"])
    >>> seen.columns["carrier"].categories, seen.columns["carrier"].counts
    (('AA', 'UA'), (1, 2))
    >>> seen.columns["delay"].mean, seen.columns["delay"].missing
    (2.5, 1)
    """
    known: dict[str, Sketch] = {} if like is None else like.columns
    sketches = {name: _sketch(_column(frame, name), known.get(name), bins) for name in columns}
    return Profile(rows=frame.height, columns=sketches)


def sketch_number(
    values: ArrayLike, like: NumberSketch | None = None, bins: int = 32
) -> NumberSketch:
    """Sketch numbers.

    Parameters
    ----------
    values : array_like of float
        (n_rows,). NaN, None and infinite values count as missing.
    like : NumberSketch, optional
        Use its bins.
    bins : int
        Bins between the smallest and the largest value, at least 1, without ``like``. They hold
        about equally many rows, or one distinct value each where there are no more than ``bins``.
        One bin below the smallest and one above the largest value are added, empty here: what
        falls there later lies out of range.

    Returns
    -------
    NumberSketch
        With mean and sum of squared deviations over the values that are not missing (0.0 where
        there are none).
    """
    numbers = np.asarray(values, dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    edges = _edges(finite, bins) if like is None else np.asarray(like.edges, dtype=np.float64)
    counts = np.bincount(np.searchsorted(edges, finite, side="left"), minlength=len(edges) + 1)
    mean = float(finite.mean()) if len(finite) else 0.0
    return NumberSketch(
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        missing=len(numbers) - len(finite),
        mean=mean,
        m2=float(np.square(finite - mean).sum()),
        low=float(finite.min()) if len(finite) else None,
        high=float(finite.max()) if len(finite) else None,
    )


def merge(first: Profile, second: Profile) -> Profile:
    """Return the profile of both tables' rows together.

    Parameters
    ----------
    first, second : Profile
        Over the same columns, with the same bins and categories.

    Returns
    -------
    Profile
        Counts add up exactly; mean and squared deviations follow [1]_, equation 2.1.

    Raises
    ------
    DataError
        If columns, bins or categories differ.

    References
    ----------
    .. [1] Chan, Golub, LeVeque (1979). Updating formulae and a pairwise algorithm for computing
       sample variances. Stanford STAN-CS-79-773.
    """
    if first.columns.keys() != second.columns.keys():
        raise DataError(
            "Profiles of different columns do not merge",
            seen=sorted(first.columns.keys() ^ second.columns.keys()),
            remedy="Profile the same columns.",
        )
    columns = {
        name: _merge(name, sketch, second.columns[name]) for name, sketch in first.columns.items()
    }
    return Profile(rows=first.rows + second.rows, columns=columns)


def code_values(sketch: Sketch, values: Sequence[Any]) -> Codes:
    """Say which bin each value falls into.

    Parameters
    ----------
    sketch : Sketch
    values : sequence
        (n_rows,) numbers, booleans or text; None and NaN are missing.

    Returns
    -------
    ndarray of int64
        (n_rows,): 0 missing, then the bins or categories in their order, and for categories one
        more for an unknown one. They index `bin_counts`.

    Raises
    ------
    DataError
        If a number column holds something else.

    Examples
    --------
    >>> code_values(sketch_number([0, 1, 1]), [0, 1, None, 7]).tolist()
    [2, 3, 0, 4]
    """
    if isinstance(sketch, CategorySketch):
        codes: dict[Any, int] = {name: i for i, name in enumerate(sketch.categories, 1)}
        codes[None] = 0
        unknown = repeat(len(sketch.categories) + 1)
        return np.fromiter(map(codes.get, values, unknown), np.int64, len(values))
    numbers = as_numbers(values)
    place = np.searchsorted(np.asarray(sketch.edges, dtype=np.float64), numbers, side="left") + 1
    return np.where(np.isfinite(numbers), place, 0)


def as_numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    """Return values as floats, None as NaN.

    Raises
    ------
    DataError
        If a value is no number.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"A number column holds something else: {error}") from error


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise DataError(
            f"There is no column {name!r} to profile",
            seen=frame.columns,
            remedy="Name a column that the rows have.",
            field=name,
        )
    return frame[name]


def _sketch(series: pl.Series, like: Sketch | None, bins: int) -> Sketch:
    kind = series.dtype
    if isinstance(like, NumberSketch) or (like is None and _is_number(kind)):
        if not _is_number(kind):
            raise DataError(
                f"Column {series.name!r} held numbers before", seen=str(kind), field=series.name
            )
        return sketch_number(series.cast(pl.Float64).to_numpy(), like, bins)
    if kind.is_numeric() or not (kind in (pl.String, pl.Null) or _is_category(kind)):
        raise DataError(
            f"Column {series.name!r} cannot be profiled as a category"
            if like
            else f"Column {series.name!r} is neither number, boolean nor text",
            seen=str(kind),
            remedy="Convert it, or exclude it under [features].",
            field=series.name,
        )
    return _sketch_category(series.cast(pl.String), like)


def _is_number(kind: pl.DataType) -> bool:
    return kind.is_numeric() or kind in (pl.Boolean, pl.Null)


def _is_category(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.Categorical | pl.Enum)


def _sketch_category(series: pl.Series, like: CategorySketch | None) -> CategorySketch:
    values, rows = series.drop_nulls().value_counts(sort=False).get_columns()
    found = dict(zip(values.to_list(), rows.to_list(), strict=True))
    categories = tuple(sorted(found)) if like is None else like.categories
    counts = tuple(found.get(name, 0) for name in categories)
    return CategorySketch(
        categories=categories,
        counts=counts,
        other=sum(found.values()) - sum(counts),
        missing=series.null_count(),
    )


def _edges(finite: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Increasing edges, from just below the smallest value to the largest."""
    if not len(finite):
        return np.empty(0)
    low, high = finite.min(), finite.max()
    sample = np.sort(finite[:: max(1, len(finite) // _SAMPLE)])
    distinct = sample[np.concatenate(([True], sample[1:] > sample[:-1]))]
    if len(distinct) <= bins:
        lower, upper = distinct[:-1], distinct[1:]
        middle = lower / 2 + upper / 2
        inner = np.where((middle >= lower) & (middle < upper), middle, lower)
    else:
        last = np.ceil(np.arange(1, bins) * len(sample) / bins).astype(int) - 1
        inner = sample[last]
    return np.unique(np.concatenate(([np.nextafter(low, -np.inf)], inner, [high])))


def _merge(name: str, first: Sketch, second: Sketch) -> Sketch:
    check_bins(first, second, name)
    counts = tuple(a + b for a, b in zip(first.counts, second.counts, strict=True))
    missing = first.missing + second.missing
    if isinstance(first, NumberSketch) and isinstance(second, NumberSketch):
        return _merge_numbers(first, second, counts, missing)
    total = sum(bin_counts(first)) + sum(bin_counts(second))
    return CategorySketch(
        categories=kind_of_bins(first)[1],
        counts=counts,
        other=int(total) - sum(counts) - missing,
        missing=missing,
    )


def _merge_numbers(
    first: NumberSketch, second: NumberSketch, counts: tuple[int, ...], missing: int
) -> NumberSketch:
    n_first, n_second = sum(first.counts), sum(second.counts)
    share = n_second / max(n_first + n_second, 1)
    gap = second.mean - first.mean
    return NumberSketch(
        edges=first.edges,
        counts=counts,
        missing=missing,
        mean=first.mean + gap * share if n_first else second.mean,
        m2=first.m2 + second.m2 + (gap * gap * n_first * share if n_first and n_second else 0.0),
        low=min((s.low for s in (first, second) if s.low is not None), default=None),
        high=max((s.high for s in (first, second) if s.high is not None), default=None),
    )
