"""Test martingales: money won by betting against "nothing changed"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.monitoring.bets import CELLS, HISTOGRAMS, Side, fixed_bets, learn_density, missing_bets
from gleis.monitoring.starts import BLOCKS_DROP, DROP, Starts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_EARLY_ROWS, _EARLY_BLOCKS = 1000.0, 30.0
"""Steps after which the prior of the change's start begins to thin out."""
_DRAG_ROWS, _DRAG_BLOCKS = 0.005, 0.1
"""What a step must win to count as one after the change: rows shifted by 0.1 sigma win 0.005."""
_BLOCKS_KEPT = 30.0
"""Memory of the learned densities where blocks are bet on, in blocks."""
_WIDE = 128
"""Numbers in a row from which on adding row to row beats numpy's running sum along columns."""


class Martingale:
    """Bets on the ranks of several columns, each with a capital of its own.

    A column's capital is one at the start. It is spread over bets ``b`` and over starts
    ``s = 1, 2, ...``: share ``w_s`` waits until row ``s`` and is then staked on bet ``b`` on every
    row. After row ``t`` it has become::

        E_t = 1 - (w_1 + ... + w_t) + mean over b of S_t^b,   S_t = (S_{t-1} + w_t) * f_t(p_t)

    with ``f_t`` a density on (0, 1) fixed before ``p_t`` is seen. Independent uniform ranks make
    ``E_t`` a martingale with mean one, so by Ville's inequality [1]_::

        P(E_t >= 1 / alpha for any t) <= alpha

    whenever and however often one looks. Starts have the shares
    ``w_t = W(t) - W(t - 1)``, ``W(t) = 1 - 1 / (1 + ln(1 + t / 1000))``: they add up to one without
    a horizon to declare, and a change after a long quiet time is still found. Unlike a
    Shiryaev-Roberts detector, which takes ``w_t = 1`` and bounds the mean time to a false alarm
    [2]_, this bounds the probability that one is ever given.

    Parameters
    ----------
    n_columns : int
    side : {"both", "higher"}
        ``higher`` bets on larger values only, with densities that rise with the rank: smaller
        values then win nothing, and the bound above holds for them too.
    missing : bool
        Also bet on more missing values; every update then says how many there were.
    blocks : bool
        Steps are blocks of rows (`update_block`) instead of rows (`update`); 30 then stands for
        the 1000 above.

    Attributes
    ----------
    steps : int
        Rows or blocks bet on.
    start : ndarray of int64
        (n_columns, n_bets) steps before the likeliest start of a change: the one
        since which a bet has won most, each step being charged a little (the charge keeps quiet
        steps out, and has no part in the capital).

    References
    ----------
    .. [1] Ville (1939). Etude critique de la notion de collectif, chapter 5; Vovk, Gammerman,
       Shafer (2022). Algorithmic Learning in a Random World, 2nd ed., chapter 8.
    .. [2] Shin, Ramdas, Rinaldo (2022). E-detectors: a nonparametric framework for sequential
       change detection, definition 2.2 (for w_t = 1) and section 3.

    Examples
    --------
    >>> martingale = Martingale(1)
    >>> _ = martingale.update(np.full((200, 1), 0.9))
    >>> bool(martingale.log_capital()[0] > math.log(20))
    True
    """

    def __init__(
        self, n_columns: int, side: Side = "both", *, blocks: bool = False, missing: bool = False
    ) -> None:
        self._early = _EARLY_BLOCKS if blocks else _EARLY_ROWS
        self._drag = _DRAG_BLOCKS if blocks else _DRAG_ROWS
        self._table = fixed_bets(side)
        self._histograms = HISTOGRAMS if side == "both" else ()
        self._missing = missing
        n_bets = self._table.shape[1] + len(self._histograms) + (2 if missing else 0)
        self.steps = 0
        self._age = np.zeros(n_columns, dtype=np.int64)
        self._log_s = np.full((n_columns, n_bets), -np.inf)
        self._log_f = np.zeros((n_columns, n_bets))
        self._best = np.full((n_columns, n_bets), -np.inf)
        self.start = np.zeros((n_columns, n_bets), dtype=np.int64)
        self._memory = [np.zeros((n_columns, n_cells)) for n_cells, _ in self._histograms]
        self._starts = Starts(n_columns, n_bets, BLOCKS_DROP if blocks else DROP)

    def update(
        self, ranks: Floats, stamps: Floats | None = None, missing: Floats | None = None
    ) -> Integers:
        """Bet on rows.

        Parameters
        ----------
        ranks : ndarray of float64
            (n_rows, n_columns) in [0, 1], at most some 5,000 rows at once.
        stamps : ndarray of float64, optional
            (n_rows,) moments of the rows, to date a change; NaN where unknown.
        missing : ndarray of float64, optional
            (n_rows, n_columns) the rank below which values so far were missing, in (0, 1); needed
            where missing values are bet on.

        Returns
        -------
        ndarray of int64
            (n_columns, n_bets): the row before which the likeliest start now lies, or -1 where it
            lies before these rows.
        """
        return self._bet(self._log_densities(ranks, missing), stamps)

    def update_block(
        self,
        shares: Floats,
        opened: float = math.nan,
        missing: Floats | None = None,
    ) -> Integers:
        """Bet on a block of rows as one step: with the mean of their densities.

        The mean of fair bets is a fair bet however they depend on each other, so rows of a block
        may be as alike as they will.

        Parameters
        ----------
        shares : ndarray of float64
            (n_columns, CELLS) share of the block's ranks in each cell; rows add up to one.
        opened : float
            Moment of its first row.
        missing : ndarray of float64, optional
            (n_columns, 2) mean of the densities of `missing_bets` over the block's rows; needed
            where missing values are bet on.

        Returns
        -------
        ndarray of int64
            (n_columns, n_bets): 0 where the likeliest start now lies before this block, else -1.
        """
        means = [shares @ np.exp(self._table)]
        for i, (n_cells, _) in enumerate(self._histograms):
            coarse = shares.reshape(len(shares), n_cells, -1).sum(axis=2)
            memory = self._memory[i]
            density = (memory + 1.0) / (memory.sum(axis=1, keepdims=True) + n_cells) * n_cells
            means.append((coarse * density).sum(axis=1, keepdims=True))
            self._memory[i] = (memory + n_cells * coarse) * math.exp(-1.0 / _BLOCKS_KEPT)
        if self._missing and missing is not None:
            means.append(missing)
        return self._bet(np.log(np.concatenate(means, axis=1))[None], np.array([opened]))

    def _bet(self, won: Floats, stamps: Floats | None) -> Integers:
        paid = _running_sum(won)
        drag = self._drag * np.arange(len(won) + 1)[:, None, None]
        stakes = won - paid
        stakes += drag[:-1]
        first = stakes.argmax(axis=0)
        highest = np.take_along_axis(stakes, first[None], axis=0)[0]
        newer = highest - self._log_f > self._best
        self._best = np.where(newer, highest - self._log_f, self._best)
        if stamps is not None:
            self._starts.follow(stakes, -self._log_f, self._best, stamps)
        stakes -= highest
        stakes += self._log_shares(len(won))[:, :, None] - drag[:-1]
        staked = highest + np.log(np.exp(stakes, out=stakes).sum(axis=0))
        self._log_s = paid[-1] + np.logaddexp(self._log_s, staked)
        self.start = np.where(newer, self.steps + first, self.start)
        self._log_f += paid[-1] - drag[-1]
        self._age += len(won)
        self.steps += len(won)
        return np.where(newer, first, -1)

    def log_capital(self) -> Floats:
        """Return the natural logarithm of each column's capital, (n_columns,)."""
        mixed = np.logaddexp.reduce(self._log_s, axis=1) - math.log(self._log_s.shape[1])
        waiting = -np.log1p(np.log1p(self._age / self._early))
        capital: Floats = np.logaddexp(mixed, waiting)
        return capital

    def best_bet(self) -> Integers:
        """Return, by column, the bet whose likeliest start has won most, (n_columns,)."""
        best: Integers = (self._best + self._log_f).argmax(axis=1)
        return best

    def between(self, column: int) -> tuple[float, float]:
        """Return the moments between which a column's change began, see `Starts`; or NaN."""
        return self._starts.between(column, (self._best + self._log_f)[column])

    def restart(self, columns: Integers) -> None:
        """Give these columns a fresh capital of one; what the histograms learned stays."""
        self._age[columns] = 0
        self._log_s[columns] = -np.inf
        self._log_f[columns] = 0.0
        self._best[columns] = -np.inf
        self.start[columns] = self.steps
        self._starts.restart(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state; `restore` takes it back."""
        memory = {f"memory{i}": m for i, m in enumerate(self._memory)}
        named = {"age": self._age, "log_s": self._log_s, "log_f": self._log_f, "best": self._best}
        known = {"steps": np.array(self.steps), "start": self.start}
        return {**known, **named, **memory, **self._starts.arrays()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up the state of `arrays`."""
        self.steps = int(arrays["steps"])
        self.start = arrays["start"].astype(np.int64)
        self._age = arrays["age"].astype(np.int64)
        self._log_s, self._log_f, self._best = (
            arrays[name].astype(np.float64) for name in ("log_s", "log_f", "best")
        )
        self._memory = [arrays[f"memory{i}"].astype(float) for i in range(len(self._histograms))]
        self._starts.restore(arrays)

    def _log_densities(self, ranks: Floats, missing: Floats | None) -> Floats:
        """(n_rows, n_columns, n_bets)."""
        cells = np.minimum((ranks * CELLS).astype(np.int64), CELLS - 1)
        n_fixed = self._table.shape[1]
        logs = np.empty((*ranks.shape, self.start.shape[1]))
        logs[:, :, :n_fixed] = self._table[cells]
        for i, (n_cells, memory) in enumerate(self._histograms):
            coarse = cells // (CELLS // n_cells)
            logs[:, :, n_fixed + i], self._memory[i] = learn_density(
                coarse, self._memory[i], memory
            )
        if self._missing and missing is not None:
            below, above = missing_bets(missing)
            logs[:, :, -2:] = np.where((ranks < missing)[:, :, None], below, above)
        return logs

    def _log_shares(self, n_rows: int) -> Floats:
        """Logarithms of w_t for the coming rows, (n_rows, n_columns)."""
        ages = self._age + np.arange(n_rows + 1)[:, None]
        waiting = 1.0 / (1.0 + np.log1p(ages / self._early))
        return np.log(waiting[:-1] - waiting[1:])


def _running_sum(values: Floats) -> Floats:
    """``np.cumsum(values, axis=0)``, bit for bit, four times faster where rows are wide."""
    if values[0].size < _WIDE:
        summed: Floats = np.cumsum(values, axis=0)
        return summed
    summed = np.empty_like(values)
    summed[0] = values[0]
    for row in range(1, len(values)):
        np.add(summed[row - 1], values[row], out=summed[row])
    return summed
