"""Features in a few bins each, and the slices that bins make: what a search for slices looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.evidence.weighted import Floats

N_BINS = 8
"""Bins of a number, of about equally many rows."""
N_CATEGORIES = 20
"""Categories with a bin of their own, the most frequent ones; the others share one."""

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Bins:
    """One feature in bins, and the slices it makes."""

    name: str
    codes: Codes
    """(n_rows,) bin of each row."""
    n_bins: int
    members: Floats
    """(n_slices, n_bins) 1 where a bin belongs to a slice."""
    texts: tuple[str, ...]
    """(n_slices,) each slice as text: ``hour > 18``."""


def bin_column(values: pl.Series) -> Bins | None:
    """Return a column in bins; None if all rows are alike.

    A number has up to 8 bins, and every run of neighbouring ones is a slice; a category is a slice
    each for the 20 most frequent, and one for all others. Missing values are a slice.

    Parameters
    ----------
    values : polars.Series, (n_rows,)
        Numbers, text, booleans; anything else by its text.

    Examples
    --------
    >>> bin_column(pl.Series("hour", [6, 7, 18, None])).texts
    ('hour = 6', 'hour <= 7', 'hour is not missing', 'hour = 7', 'hour > 6', 'hour = 18', \
'hour is missing')
    >>> bin_column(pl.Series("shop", ["a", "b", "a"])).texts
    ('shop = a', 'shop = b')
    """
    numeric = values.dtype.is_numeric()
    found = _bin_number(values) if numeric else _bin_words(values)
    return found if len(found.texts) > 1 else None


def _bin_number(values: pl.Series) -> Bins:
    numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    gone = ~np.isfinite(numbers)
    ends, tops = _edges(numbers[~gone])
    codes = np.searchsorted(ends, numbers, side="left")
    n = len(tops)
    codes = np.where(gone, n, codes).astype(np.intp)
    spans = [(i, j) for i in range(n) for j in range(i, n) if (i, j) != (0, n - 1) or gone.any()]
    rows = [np.bincount(np.arange(i, j + 1), minlength=n + 1) for i, j in spans]
    texts = [_span(values.name, ends, tops, i, j) for i, j in spans]
    if gone.any():
        rows.append(np.bincount([n], minlength=n + 1))
        texts.append(f"{values.name} is missing")
    return Bins(values.name, codes, n + 1, _matrix(rows, n + 1), tuple(texts))


def _edges(known: Floats) -> tuple[Floats, list[float | None]]:
    """Return the upper ends of all bins but the last, and each bin's only value if it has one."""
    if not len(known):
        return np.empty(0), []
    distinct = np.unique(known)
    if len(distinct) <= N_BINS:
        at = np.arange(len(distinct) - 1)
        alone: list[float | None] = [float(value) for value in distinct]
    else:
        shares = np.arange(1, N_BINS) / N_BINS
        wanted = np.quantile(known, shares, method="inverted_cdf")
        at = np.unique(np.searchsorted(distinct, wanted))
        at = at[at < len(distinct) - 1]
        bounds = [-1, *at.tolist(), len(distinct) - 1]
        alone = [
            float(distinct[high]) if high == low + 1 else None for low, high in pairwise(bounds)
        ]
    ends = [short_between(float(distinct[k]), float(distinct[k + 1])) for k in at]
    return np.array(ends), alone


def short_between(low: float, high: float) -> float:
    """Return the number with the fewest digits in [low, high): it cuts where ``low`` does.

    Examples
    --------
    >>> short_between(0.30000000000000004, 0.4), short_between(17.0, 18.0)
    (0.35, 17.0)
    """
    for digits in range(1, 18):
        for value in (low, (low + high) / 2):
            short = float(f"{value:.{digits}g}")
            if low <= short < high:
                return short
    return low


def _span(name: str, ends: Floats, tops: Sequence[float | None], first: int, last: int) -> str:
    low = None if first == 0 else float(ends[first - 1])
    high = None if last == len(tops) - 1 else float(ends[last])
    only = tops[first]
    if first == last and only is not None:
        return f"{name} = {_number(only)}"
    if low is None and high is None:
        return f"{name} is not missing"
    if low is None and high is not None:
        return f"{name} <= {_number(high)}"
    if high is None and low is not None:
        return f"{name} > {_number(low)}"
    return f"{_number(low or 0.0)} < {name} <= {_number(high or 0.0)}"


def _number(value: float) -> str:
    text = repr(value)
    return text.removesuffix(".0")


def _bin_words(values: pl.Series) -> Bins:
    text = values.cast(pl.String) if values.dtype != pl.Boolean else _booleans(values)
    counts = text.drop_nulls().value_counts(sort=False)
    counts = counts.sort(pl.col("count"), counts.columns[0], descending=[True, False])
    words = counts[counts.columns[0]].head(N_CATEGORIES).to_list()
    gone = text.is_null().to_numpy()
    codes = np.full(len(text), len(words), dtype=np.intp)
    if words:
        places = pl.Series(np.arange(len(words)))
        mapped = text.replace_strict(
            pl.Series(words), places, default=len(words), return_dtype=pl.Int64
        )
        codes = mapped.fill_null(len(words)).to_numpy().astype(np.intp)
    codes = np.where(gone, len(words) + 1, codes)
    texts = [f"{values.name} = {word}" for word in words]
    bins = list(range(len(words)))
    if counts.height > len(words):
        texts.append(f"{values.name} is none of its {len(words)} most frequent values")
        bins.append(len(words))
    if gone.any():
        texts.append(f"{values.name} is missing")
        bins.append(len(words) + 1)
    n_bins = len(words) + 2
    rows = [np.bincount([k], minlength=n_bins) for k in bins]
    return Bins(values.name, codes, n_bins, _matrix(rows, n_bins), tuple(texts))


def _booleans(values: pl.Series) -> pl.Series:
    return values.cast(pl.Int8).cast(pl.String).replace({"0": "false", "1": "true"})


def _matrix(rows: Sequence[NDArray[np.intp]], n_bins: int) -> Floats:
    if not rows:
        return np.empty((0, n_bins))
    return np.array(rows, dtype=np.float64)
