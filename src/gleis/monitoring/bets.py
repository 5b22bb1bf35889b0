"""Bets: densities on (0, 1), each a guess how ranks look once the data have changed."""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Side = Literal["both", "higher"]

CELLS = 512
"""Ranks are bet on in so many equal cells: then every density integrates to one exactly."""
HISTOGRAMS = ((16, 500.0), (64, 3000.0))
"""Cells and memory, in rows, of the learned densities, which bet on any change of shape."""
_SHIFTS = (0.1, 0.25, 0.5, 1.0)
_SCALES = (0.5, 0.8, 1.25, 2.0)
_EDGE = 0.05
_TAILS = ((0.5, 1.2), (0.5, 1.5), (0.8, 1.4), (0.8, 2.0), (0.9, 1.6), (0.9, 2.5), (0.97, 2.0))
"""Losses that rise: from which rank on they are more frequent, and how many times."""
_MORE_MISSING = np.array((0.03, 0.2))
_NORMAL = NormalDist()


def fixed_bets(side: Side = "both") -> Floats:
    """Return the logarithms of fixed densities in cells of ranks.

    In ``z``, the normal quantile of the rank, they are the density ratios of N(d, 1) to N(0, 1)
    for shifts ``d``, of N(0, s^2) to N(0, 1) for scales ``s``, and a twentieth of the rows put
    into the outermost cell, where missing values, unseen categories and values out of range fall.
    Each is averaged over a cell exactly, by differences of the normal distribution function.
    On larger values alone there are also steps: the upper half, fifth, tenth or thirtieth of the
    ranks becomes more frequent, as losses do where a part of the rows is answered wrongly.

    Parameters
    ----------
    side : {"both", "higher"}
        ``higher`` bets on larger values only: no density falls with the rank.

    Returns
    -------
    ndarray of float64
        (CELLS, n_bets); ``exp`` of a column averages to one.

    References
    ----------
    .. [1] Shafer, Vovk (2019). Game-Theoretic Foundations for Probability and Finance, chapter 2
       (a bet at fair odds multiplies the stake by a density).
    """
    shifts = [d for size in _SHIFTS for d in ((size, -size) if side == "both" else (size,))]
    columns = [_averages(NormalDist(d, 1.0)) for d in shifts]
    edges = [CELLS - 1]
    if side == "both":
        columns += [_averages(NormalDist(0.0, s)) for s in _SCALES]
        edges = [0, CELLS - 1]
    else:
        columns += [_step(start, times) for start, times in _TAILS]
    for cell in edges:
        column = np.full(CELLS, 1.0 - _EDGE)
        column[cell] += _EDGE * CELLS
        columns.append(column)
    return np.log(np.stack(columns, axis=1))


def missing_bets(share: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of densities that bet on more missing values.

    Missing values rank lowest: so far they took the ranks up to ``share``. Each density puts 3% or
    20% of what lies above there, and is constant on both sides: a fixed cell would be too wide
    where nothing was ever missing, and too narrow where much is.

    Parameters
    ----------
    share : ndarray of float64
        Any shape, 0 < share < 1, known before the rank is seen.

    Returns
    -------
    below, above : ndarray of float64
        (..., 2) where the rank is smaller than ``share``, and where it is not.

    Examples
    --------
    >>> below, above = missing_bets(np.array([0.01]))
    >>> (0.01 * np.exp(below) + 0.99 * np.exp(above)).round(12).tolist()
    [[1.0, 1.0]]
    """
    before = share[..., None]
    after = before + (1.0 - before) * _MORE_MISSING
    return np.log(after / before), np.log((1.0 - after) / (1.0 - before))


def learn_density(cells: NDArray[np.int64], memory: Floats, rows: float) -> tuple[Floats, Floats]:
    """Bet on each row with the smoothed histogram of the rows before it, older ones fading.

    Parameters
    ----------
    cells : ndarray of int64
        (n_rows, n_columns) cell of each rank, 0 <= cell < n_cells. At most some ten times
        ``rows`` at once, or numbers overflow.
    memory : ndarray of float64
        (n_columns, n_cells) faded counts so far.
    rows : float
        Rows after which a row's weight has faded to 1/e.

    Returns
    -------
    logs : ndarray of float64
        (n_rows, n_columns) logarithm of ``n_cells * (count + 1) / (all counts + n_cells)``: the
        density is fixed before its row is seen and integrates to one.
    memory : ndarray of float64
        (n_columns, n_cells) faded counts after these rows.

    References
    ----------
    .. [1] Krichevsky, Trofimov (1981). The performance of universal encoding (here with one
       instead of half a row added per cell, as Laplace did).
    """
    n_rows, n_columns = cells.shape
    n_cells = memory.shape[1]
    growth = np.exp(np.arange(n_rows + 1) / rows)
    keys = (cells + np.arange(n_columns) * n_cells).ravel()
    if n_columns * n_cells < 2**15:
        keys = keys.astype(np.int16)  # sorted by radix, five times faster
    order = np.argsort(keys, kind="stable")
    weights = np.repeat(growth[1:], n_columns)[order]
    total = np.cumsum(weights) - weights
    sorted_keys = keys[order]
    opens = np.concatenate(([True], sorted_keys[1:] != sorted_keys[:-1]))
    base = np.maximum.accumulate(np.where(opens, total, 0.0))
    earlier = np.empty(n_rows * n_columns)
    earlier[order] = total - base
    grown = memory.ravel()[keys].reshape(n_rows, n_columns) + earlier.reshape(n_rows, n_columns)
    everything = memory.sum(axis=1) + np.concatenate(([0.0], np.cumsum(growth[1:])))[:-1, None]
    fade = growth[:-1, None]
    logs = np.log((grown / fade + 1.0) / (everything / fade + n_cells) * n_cells)
    added = np.bincount(keys, np.repeat(growth[1:], n_columns), minlength=memory.size)
    return logs, (memory + added.reshape(memory.shape)) / growth[-1]


def _step(start: float, times: float) -> Floats:
    """Density that is ``times`` from the rank ``start`` on, and constant below it."""
    upper = np.arange(CELLS) >= round(start * CELLS)
    share = float(upper.mean())
    return np.where(upper, times, (1.0 - times * share) / (1.0 - share))


def _averages(changed: NormalDist) -> Floats:
    """Average density, over each cell, of ranks whose normal quantiles are ``changed``."""
    inner = [changed.cdf(_NORMAL.inv_cdf(i / CELLS)) for i in range(1, CELLS)]
    return np.diff([0.0, *inner, 1.0]) * CELLS
