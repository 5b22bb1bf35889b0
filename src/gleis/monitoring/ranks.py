"""Online ranks: each new value's place among all values seen before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def rank_online(codes: Counts, uniforms: Floats, seen: Counts) -> tuple[Floats, Counts]:
    """Rank each value among the values before it, ties broken at random.

    With ``n`` values seen before, ``below`` of them in lower bins and ``same`` in its own, a value
    gets ``p = (below + u * (same + 1)) / (n + 1)``. If seen and new values are exchangeable, the
    ``p`` are exactly independent and uniform on (0, 1), whatever their distribution and however
    many ties [1]_. A fixed reference taken for the truth has no such guarantee: its own sampling
    error is mistaken for drift. Where the bins are quantiles of the seen values themselves, the
    law of a ``p`` differs from the uniform by the order of 1 / n.

    Parameters
    ----------
    codes : ndarray of int64
        (n_rows,) bin of each value, in the order they came, 0 <= code < n_bins.
    uniforms : ndarray of float64
        (n_rows,) independent uniform numbers in [0, 1), which break the ties.
    seen : ndarray of int64
        (n_bins,) how many values were seen before with at most this code.

    Returns
    -------
    ranks : ndarray of float64
        (n_rows,), in [0, 1].
    seen : ndarray of int64
        (n_rows + 1, n_bins): the same as ``seen`` before each row, and in the last line after all.

    References
    ----------
    .. [1] Vovk, Nouretdinov, Gammerman (2003). Testing exchangeability on-line, equation 2 and
       theorem 1.

    Examples
    --------
    >>> ranks, seen = rank_online(np.array([0, 1]), np.array([0.5, 0.5]), np.array([1, 3]))
    >>> ranks.tolist(), seen[-1].tolist()
    ([0.25, 0.7], [2, 5])
    """
    passed = count_online(codes, seen)
    rows = np.arange(len(codes))
    up_to = passed[rows, codes]
    below = np.where(codes > 0, passed[rows, codes - 1], 0)
    ranks = (below + uniforms * (up_to - below + 1)) / (passed[:-1, -1] + 1)
    return ranks, passed


def count_online(codes: Counts, seen: Counts) -> Counts:
    """Count rows up to each code: ``seen`` (n_bins,) before each row and after all.

    Returns
    -------
    ndarray of int64
        (n_rows + 1, n_bins).
    """
    n_bins = len(seen)
    summed = np.empty((n_bins, len(codes) + 1), dtype=np.int64)  # sums fastest along a row
    summed[:, 0] = seen
    summed[:, 1:] = codes <= np.arange(n_bins)[:, None]
    return np.cumsum(summed, axis=1, out=summed).T


def rank_block(block: Counts, seen: Counts, cells: int) -> Floats:
    """Rank a block of rows at once, among all rows before it and its own.

    Every row of the block gets a rank as in `rank_online`, ties being spread evenly over their
    interval instead of broken at random. If blocks of about equal size are exchangeable, those the
    seen rows came in and this one, each row's rank is uniform, however alike rows of a block are.

    Parameters
    ----------
    block : ndarray of int64
        (n_bins,) rows of the block by bin; at least one row.
    seen : ndarray of int64
        (n_bins,) how many rows were seen before with at most this code.
    cells : int
        Equal cells of (0, 1).

    Returns
    -------
    ndarray of float64
        (cells,) share of the block's ranks in each cell.

    Examples
    --------
    >>> rank_block(np.array([0, 2]), np.array([2, 4]), cells=2)
    array([0.25, 0.75])
    """
    passed = np.cumsum(block)
    total = seen + passed
    at = np.concatenate(([0.0], total / total[-1]))
    reached = np.interp(np.linspace(0, 1, cells + 1), at, np.concatenate(([0], passed)))
    shares: Floats = np.diff(reached) / passed[-1]
    return shares


def missing_block(block: Counts, seen: Counts) -> tuple[float, float]:
    """Say where missing values ended among the ranks before a block, and how many lie there now.

    Parameters
    ----------
    block, seen : ndarray of int64
        As for `rank_block`; missing values are code 0.

    Returns
    -------
    rank : float
        ``(missing + 1) / (n + 2)`` of the rows seen before.
    share : float
        Of the block's ranks, below it.

    Examples
    --------
    >>> missing_block(np.array([0, 4]), np.array([0, 8]))
    (0.1, 0.0)
    """
    rank = (seen[0] + 1) / (seen[-1] + 2)
    missing, rows = block[0], block.sum()
    reached = (seen[0] + missing) / (seen[-1] + rows)
    return float(rank), float(missing / rows * min(rank / reached, 1.0)) if missing else 0.0
