"""Which columns hang together, and how strongly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

from gleis.contracts.analysis import Association
from gleis.data.analysis.coded import Coded, code_categories, count_pairs
from gleis.data.analysis.columns import kind_of

_LEAST = 20
"""Rows that both columns must have."""
_MOST_KEPT = 300

Matrix = NDArray[np.float64]


class Associations(NamedTuple):
    """Pairs beyond chance, and how many were looked at."""

    found: tuple[Association, ...]
    pairs: int


def associate(frame: pl.DataFrame, names: Sequence[str]) -> Associations:
    """Measure how each pair of columns hangs together.

    Two columns of numbers: Pearson's correlation, and Spearman's, of ranks among the column's own
    values. Two of categories: Cramér's V, corrected for bias [1]_. One of each: the correlation
    ratio, the root of the share of the numbers' variance that lies between the categories,
    corrected for bias as epsilon squared [2]_. Rows in which either is missing are left out.

    A pair is returned if its measure is beyond what unrelated columns reach: all pairs together
    at 5% (Bonferroni).

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
    names : sequence of str
        Columns of numbers, booleans or text; of more than 50 categories the rarer count as one.

    References
    ----------
    .. [1] Bergsma (2013). A bias-correction for Cramér's V and Tschuprow's T. Journal of the Korean
       Statistical Society 42, equations 5 to 7.
    .. [2] Kelley (1935). An unbiased correlation ratio measure. PNAS 21, 554-559.

    Examples
    --------
    >>> frame = pl.DataFrame({"x": range(100), "y": [2 * i for i in range(100)]})
    >>> (pair,) = associate(frame, ["x", "y"]).found
    >>> round(pair.value, 6), round(pair.rank, 6)
    (1.0, 1.0)
    """
    numbers = [name for name in names if kind_of(frame.schema[name]) == "number"]
    coded = {name: code_categories(frame[name]) for name in names if name not in numbers}
    pairs = len(names) * (len(names) - 1) // 2
    alpha = 0.05 / max(1, pairs)
    values = _matrix(frame, numbers)
    found = [
        *_correlations(values, numbers, alpha),
        *_between_categories(coded, alpha),
        *_ratios(values, numbers, coded, alpha),
    ]
    found.sort(key=lambda each: (-each.strength, each.first, each.second))
    return Associations(tuple(found[:_MOST_KEPT]), pairs)


def _matrix(frame: pl.DataFrame, names: Sequence[str]) -> Matrix:
    """Return numbers as (n_rows, n_names), centred and scaled, NaN where missing."""
    if not names:
        return np.empty((frame.height, 0))
    columns = [frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in names]
    values = np.column_stack(columns)
    values[~np.isfinite(values)] = np.nan
    with np.errstate(all="ignore"):
        there = ~np.isnan(values)
        counts = np.maximum(there.sum(axis=0), 1)
        values = values - np.where(there, values, 0.0).sum(axis=0) / counts
        spread = np.sqrt(np.square(np.where(there, values, 0.0)).sum(axis=0) / counts)
        scaled: Matrix = values / np.where(spread > 0, spread, np.nan)
    return scaled


def _correlations(values: Matrix, names: Sequence[str], alpha: float) -> list[Association]:
    if len(names) < 2:
        return []
    pearson, rows = _pairwise(values)
    spearman, _ = _pairwise(_ranks(values))
    found = []
    for i, j in combinations(range(len(names)), 2):
        count, value, rank = int(rows[i, j]), pearson[i, j], spearman[i, j]
        if count < _LEAST or not np.isfinite(value):
            continue
        # Fisher's z: atanh(r) is about normal with variance 1 / (n - 3).
        noise = np.tanh(-ndtri(alpha / 2) / np.sqrt(count - 3))
        if max(abs(value), abs(rank)) > noise:
            found.append(
                Association(
                    first=names[i],
                    second=names[j],
                    measure="correlation",
                    value=float(np.clip(value, -1, 1)),
                    rank=float(np.clip(rank, -1, 1)),
                    rows=count,
                )
            )
    return found


def _pairwise(values: Matrix) -> tuple[Matrix, Matrix]:
    """Return the correlations over the rows that both columns have, and how many those are."""
    there = ~np.isnan(values)
    zero, one = np.where(there, values, 0.0), there.astype(np.float64)
    rows = one.T @ one
    sums, squares = zero.T @ one, (zero * zero).T @ one
    with np.errstate(all="ignore"):
        products = zero.T @ zero - sums * sums.T / rows
        variances = squares - sums * sums / rows
        return products / np.sqrt(variances * variances.T), rows


def _ranks(values: Matrix) -> Matrix:
    """Return average ranks of each column among its own values, NaN where missing."""
    ranked = pl.DataFrame(values).select(pl.all().fill_nan(None).rank("average"))
    return ranked.select(pl.all().cast(pl.Float64).fill_null(float("nan"))).to_numpy()


def _between_categories(coded: dict[str, Coded], alpha: float) -> list[Association]:
    found = []
    for first, second in combinations(coded, 2):
        table = count_pairs(coded[first], coded[second])
        value = cramers_v(table, alpha)
        if value is not None:
            found.append(
                Association(
                    first=first,
                    second=second,
                    measure="cramers_v",
                    value=value,
                    rows=int(table.sum()),
                )
            )
    return found


def cramers_v(table: NDArray[np.int64], alpha: float = 1.0) -> float | None:
    """Return Cramér's V of rows by two categories, corrected for bias; None within chance.

    Parameters
    ----------
    table : ndarray of int, (n_first, n_second)
    alpha : float
        Chance at which unrelated columns pass Pearson's chi-square test.

    Examples
    --------
    >>> round(cramers_v(np.array([[50, 0], [0, 50]])), 3)
    1.0
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, c = table.shape
    n = int(table.sum())
    if n < _LEAST or r < 2 or c < 2:
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    chi2 = float((np.square(table - expected) / expected).sum())
    freedom = (r - 1) * (c - 1)
    if alpha < 1 and chi2 <= chdtri(freedom, alpha):
        return None
    corrected = max(0.0, chi2 / n - freedom / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    return float(min(1.0, np.sqrt(corrected / min(rows - 1, columns - 1))))


def _ratios(
    values: Matrix, names: Sequence[str], coded: dict[str, Coded], alpha: float
) -> list[Association]:
    found = []
    for category, code in coded.items():
        for place, number in enumerate(names):
            value, rows = correlation_ratio(code, values[:, place], alpha)
            if value is not None:
                found.append(
                    Association(
                        first=number,
                        second=category,
                        measure="correlation_ratio",
                        value=value,
                        rows=rows,
                    )
                )
    return found


def correlation_ratio(
    code: Coded, values: NDArray[np.float64], alpha: float = 1.0
) -> tuple[float | None, int]:
    """Return the correlation ratio of numbers by category, corrected for bias, and the rows.

    None within chance: the F statistic times its degrees of freedom, taken as chi-square, which
    it becomes with many rows.
    """
    there = (code.codes >= 0) & ~np.isnan(values)
    codes, numbers = code.codes[there], values[there]
    n = len(numbers)
    if n < _LEAST:
        return None, n
    counts = np.bincount(codes, minlength=len(code.labels))
    sums = np.bincount(codes, weights=numbers, minlength=len(code.labels))
    groups = int((counts > 0).sum())
    total = float(np.square(numbers - numbers.mean()).sum())
    if groups < 2 or n <= groups or total <= 0:
        return None, n
    means = sums / np.maximum(counts, 1)
    between = float((counts * np.square(means - numbers.mean())).sum())
    within = max(total - between, 0.0)
    if alpha < 1 and within > 0 and between / (within / (n - groups)) <= chdtri(groups - 1, alpha):
        return None, n
    epsilon = max(0.0, 1 - (within / (n - groups)) / (total / (n - 1)))
    return float(np.sqrt(epsilon)), n
