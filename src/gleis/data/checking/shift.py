"""How far a column's distribution has moved from an earlier one, and whether chance explains it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

_BINS = 10
_PER_BIN = 12
"""Rows of the smaller sample for each bin of a number: fewer rows, fewer bins."""
_ENOUGH = 5.0
"""Rows that a bin must be expected to hold, in both samples; smaller ones are put together."""


class Shift(NamedTuple):
    """A distance between two samples of a column."""

    psi: float
    """Population stability index."""
    p_value: float
    """Probability of an index at least as large if the true one were just at the limit."""


def shift(before: pl.Series, after: pl.Series, limit: float) -> Shift:
    """Return the population stability index of a column, and how sure it is above a limit.

    Numbers and times are cut at the deciles of ``before`` (fewer cuts for small samples); texts
    and booleans are their own bins; missing is a bin. Bins in which either sample is expected to
    hold fewer than 5 rows are put together [2]_. With ``N = n m / (n + m)`` for samples of n and m
    rows, ``N psi`` follows a chi-square distribution with ``bins - 1`` degrees of freedom where
    nothing has moved [1]_; where the true index is ``limit``, a noncentral one with noncentrality
    ``N limit``. The p-value is taken from that, so small samples, whose index is large by chance,
    do not fail by chance.

    Parameters
    ----------
    before, after : Series, (n,) and (m,)
        Of one kind; missing values are null. Rows are taken to be independent.
    limit : float
        Index that is still allowed.

    Returns
    -------
    Shift
        ``psi`` 0 and ``p_value`` 1 where a sample is empty or all rows share a bin.

    References
    ----------
    .. [1] Yurdakul, Naranjo (2020). Statistical properties of the population stability index.
       Journal of Risk Model Validation 14(4), section 3.
    .. [2] Cochran (1954). Some methods for strengthening the common chi-square tests. Biometrics
       10, 417-451.

    Examples
    --------
    >>> same = shift(pl.Series(range(1000)), pl.Series(range(1000)), limit=0.25)
    >>> same.psi, round(same.p_value, 2)
    (0.0, 1.0)
    """
    from scipy.special import chndtr  # takes longer to load than most appends

    n, m = len(before), len(after)
    if not n or not m:
        return Shift(0.0, 1.0)
    counts = _together(_counts(before, after), n, m)
    if len(counts) < 2:
        return Shift(0.0, 1.0)
    p, q = ((counts[:, side] + 0.5) / (counts[:, side] + 0.5).sum() for side in (0, 1))
    psi = float(((q - p) * np.log(q / p)).sum())
    weight = n * m / (n + m)
    return Shift(psi, float(1 - chndtr(weight * psi, len(counts) - 1, weight * limit)))


def _counts(before: pl.Series, after: pl.Series) -> NDArray[np.int64]:
    """Return rows of both by bin, (n_bins, 2)."""
    if before.dtype.is_numeric() or before.dtype.is_temporal():
        return _number_counts(before, after)
    tables = [
        series.cast(pl.String).alias("value").to_frame().group_by("value").len(name)
        for series, name in ((before, "before"), (after, "after"))
    ]
    both = tables[0].join(tables[1], on="value", how="full", nulls_equal=True)
    return both.select(pl.col("before", "after").fill_null(0)).to_numpy().astype(np.int64)


def _number_counts(before: pl.Series, after: pl.Series) -> NDArray[np.int64]:
    sides = [series.cast(pl.Float64).drop_nulls().to_numpy() for series in (before, after)]
    bins = max(2, min(_BINS, min(map(len, sides)) // _PER_BIN))
    cuts: NDArray[np.float64] = np.empty(0)
    if len(sides[0]):
        cuts = np.unique(np.quantile(sides[0], np.arange(1, bins) / bins))
    counts = [np.bincount(np.searchsorted(cuts, side), minlength=len(cuts) + 1) for side in sides]
    missing = [[len(before) - len(sides[0]), len(after) - len(sides[1])]]
    return np.concatenate([np.stack(counts, axis=1), missing]).astype(np.int64)


def _together(counts: NDArray[np.int64], n: int, m: int) -> NDArray[np.int64]:
    """Put bins together in which too few rows are expected, smallest first."""
    counts = counts[counts.sum(axis=1) > 0]
    counts = counts[np.argsort(counts.sum(axis=1), kind="stable")]
    smaller = min(n, m) / (n + m)
    while len(counts) > 1 and counts[0].sum() * smaller < _ENOUGH:
        merged = np.concatenate([counts[2:], (counts[0] + counts[1])[None]])
        counts = merged[np.argsort(merged.sum(axis=1), kind="stable")]
    return counts
