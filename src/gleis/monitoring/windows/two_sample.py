"""Two-sample tests. Both samples are samples: neither is the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from gleis.monitoring.windows.grid import Counts, Floats, Grid

_EXACT = 500
"""Up to so many rows a side the exact distribution is quick; from there on the limit is as good."""

_LIMIT = 50_000
"""Effective rows from which on the corrected limit distribution is taken."""


def ks_statistic(a: Floats, b: Floats, grid: Grid) -> float:
    """Return the largest distance between two empirical distribution functions, exactly.

    The grid bounds the distance inside each cell; only cells that could hold the largest one are
    sorted.

    Parameters
    ----------
    a, b : ndarray of float64
        (n_a,), (n_b,), finite.
    grid : Grid
        Of the two.

    Returns
    -------
    float
        0 to 1.

    References
    ----------
    Smirnov, N. V. (1939). On the estimation of the discrepancy between empirical curves of
    distribution for two independent samples. Bull. Math. Univ. Moscou 2, 3-14.

    Examples
    --------
    >>> from gleis.monitoring.windows.grid import lay_grid
    >>> a, b = np.array([1.0, 2.0, 3.0]), np.array([2.5, 3.5, 4.5])
    >>> round(ks_statistic(a, b, lay_grid(a, b)), 4)
    0.6667
    """
    share_a, share_b = grid.a / len(a), grid.b / len(b)
    after = np.cumsum(share_a) - np.cumsum(share_b)
    before = np.concatenate(([0.0], after[:-1]))
    best = float(np.abs(after).max())
    # Within a cell the difference rises by at most the share of a, and falls by that of b.
    reach = np.maximum(before + share_a, share_b - before)
    open_cells = (reach > best) & (grid.a > 0) & (grid.b > 0)
    if not open_cells.any():
        return best
    in_a, in_b = open_cells[grid.at_a], open_cells[grid.at_b]
    cells = np.concatenate([grid.at_a[in_a], grid.at_b[in_b]])
    values = np.concatenate([a[in_a], b[in_b]])
    steps = np.repeat([1.0 / len(a), -1.0 / len(b)], [in_a.sum(), in_b.sum()])
    order = np.argsort(values, kind="stable")
    values, cells, steps = values[order], cells[order], steps[order]
    moved = np.cumsum(steps)
    first = np.concatenate(([True], cells[1:] != cells[:-1]))
    start = np.concatenate(([0.0], moved[:-1]))[np.flatnonzero(first)]
    level = before[cells] + moved - start[np.cumsum(first) - 1]
    last_of_ties = np.concatenate((values[1:] != values[:-1], [True]))
    return max(best, float(np.abs(level[last_of_ties]).max()))


def ks_binned(p: Floats, q: Floats) -> float:
    """Return the largest distance of two distribution functions at bin edges.

    Never above the exact one, so its test alarms no more often than it says.

    Parameters
    ----------
    p, q : ndarray of float64
        (n_bins,) shares, in the order of the bins.
    """
    return float(np.abs(np.cumsum(p) - np.cumsum(q)).max(initial=0.0))


def ks_test(a: Floats, b: Floats, grid: Grid) -> tuple[float, float]:
    """Return statistic and p-value of the two-sample Kolmogorov-Smirnov test.

    Parameters
    ----------
    a, b : ndarray of float64
        (n_a,), (n_b,), finite, at least one value each.
    grid : Grid
        Of the two.

    Returns
    -------
    statistic, p_value : float
        The p-value is exact up to 500 rows a side, as scipy computes it.
    """
    if max(len(a), len(b)) <= _EXACT:
        found = stats.ks_2samp(a, b, method="exact")
        return float(found.statistic), float(found.pvalue)
    statistic = ks_statistic(a, b, grid)
    return statistic, ks_p_value(statistic, len(a), len(b))


def ks_p_value(statistic: float, n: int, m: int) -> float:
    """Return the probability of a distance at least this large if nothing changed, for many rows.

    Parameters
    ----------
    statistic : float
        0 to 1.
    n, m : int
        Rows of the samples, at least 1.

    References
    ----------
    Simard, R. and L'Ecuyer, P. (2011). Computing the two-sided Kolmogorov-Smirnov distribution.
    J. Stat. Softw. 39(11), at the effective size n m / (n + m).
    Vrbik, J. (2018). Small-sample corrections to Kolmogorov-Smirnov test statistic. Pioneer J.
    Theor. Appl. Stat. 15: the corrected limit, from 50,000 effective rows on, where the sum over
    all rows takes a third of a second.
    """
    effective = max(1, round(n * m / (n + m)))
    if effective < _LIMIT:
        return float(np.clip(stats.kstwo.sf(statistic, effective), 0.0, 1.0))
    scaled = np.sqrt(effective) * statistic
    corrected = scaled + 1 / (6 * np.sqrt(effective)) + (scaled - 1) / (4 * effective)
    return float(np.clip(special.kolmogorov(corrected), 0.0, 1.0))


def chi2_two_sample(a: Counts, b: Counts) -> tuple[float, float]:
    """Return statistic and p-value of the test that two count vectors have the same shares.

    Categories expected fewer than five times on the smaller side are taken together.

    Parameters
    ----------
    a, b : ndarray of int64
        (n_categories,) rows.

    Returns
    -------
    statistic, p_value : float
        0.0 and 1.0 where there is one category only; NaN without rows on a side.

    References
    ----------
    Pearson, K. (1911). On the probability that two independent distributions of frequency are
    really samples from the same population. Biometrika 8, 250-254.

    Examples
    --------
    >>> chi2_two_sample(np.array([50, 50]), np.array([500, 500]))
    (0.0, 1.0)
    """
    n, m = int(a.sum()), int(b.sum())
    if not n or not m:
        return float("nan"), float("nan")
    table = _gather_rare(np.stack([a, b]))
    total = table.sum(axis=0)
    if len(total) < 2:
        return 0.0, 1.0
    expected = np.outer([n, m], total / (n + m))
    statistic = float((np.square(table - expected) / expected).sum())
    return statistic, float(special.chdtrc(len(total) - 1, statistic))


def _gather_rare(table: NDArray[np.int64]) -> NDArray[np.int64]:
    total = table.sum(axis=0)
    table, total = table[:, total > 0], total[total > 0]
    smaller = table.sum(axis=1).min()
    rare = total * smaller / total.sum() < 5
    if not rare.any():
        return table
    rest = table[:, rare].sum(axis=1, keepdims=True)
    return np.hstack([table[:, ~rare], rest])
