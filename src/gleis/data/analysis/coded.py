"""Columns as small whole numbers, so that two of them are counted together by one addition."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

MOST = 50
"""Categories kept apart; rarer ones count as one."""


class Coded(NamedTuple):
    """A column's values by place."""

    codes: NDArray[np.int64]
    """(n_rows,), -1 where missing."""
    labels: tuple[str, ...]
    """What each code stands for, (n_codes,)."""


def code_categories(column: pl.Series, most: int = MOST) -> Coded:
    """Code the commonest values from the commonest on, and all rarer ones as one more.

    Examples
    --------
    >>> code_categories(pl.Series(["b", "a", "b", None])).codes.tolist()
    [0, 1, 0, -1]
    """
    texts = column.cast(pl.String)
    counted = texts.drop_nulls().value_counts(name="_rows")
    ordered = counted.sort(["_rows", column.name], descending=[True, False])
    values = ordered[column.name].to_list()
    kept, rest = values[:most], values[most:]
    labels = [*kept, f"{len(rest):,} rarer"] if rest else kept
    place = pl.Series("_place", [*range(len(kept)), *([len(kept)] * len(rest))], dtype=pl.Int64)
    if values:
        codes = texts.replace_strict(ordered[column.name], place, default=-1, return_dtype=pl.Int64)
    else:
        codes = pl.Series([-1] * len(column), dtype=pl.Int64)
    return Coded(codes.fill_null(-1).to_numpy(), tuple(labels))


def code_numbers(column: pl.Series, bins: int) -> Coded:
    """Code numbers or times by equally full bins; equal values share one.

    Examples
    --------
    >>> code_numbers(pl.Series([1.0, 2.0, 3.0, 4.0, None]), 2).codes.tolist()
    [0, 0, 1, 1, -1]
    """
    plain = column.to_physical() if column.dtype.is_temporal() else column
    missing = plain.is_null().to_numpy()
    values = plain.cast(pl.Float64).fill_null(0.0).to_numpy()
    ordered = np.sort(values[~missing])
    if not len(ordered):
        return Coded(np.full(len(column), -1, dtype=np.int64), ())
    places = np.ceil(np.arange(1, bins) * len(ordered) / bins).astype(int) - 1
    edges = np.unique(ordered[places])
    edges = edges[edges < ordered[-1]]
    codes = np.searchsorted(edges, values, side="left").astype(np.int64)
    labels = (*(f"<= {edge:g}" for edge in edges), "above")
    return Coded(np.where(missing, -1, codes), labels)


def count_pairs(first: Coded, second: Coded) -> NDArray[np.int64]:
    """Count rows by both codes, where neither is missing: (n_first, n_second)."""
    there = (first.codes >= 0) & (second.codes >= 0)
    wide = len(second.labels)
    flat = first.codes[there] * wide + second.codes[there]
    return np.bincount(flat, minlength=len(first.labels) * wide).reshape(-1, wide)
