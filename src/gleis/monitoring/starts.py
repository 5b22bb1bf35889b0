"""Since when a change may hold: an interval around its likeliest start, kept in constant space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DROP, BLOCKS_DROP = 3.0, 1.0
"""A start whose bet has won less than the best start's by more than this (natural logarithm) is
left out. Blocks win less: the mean of a block's densities is never far from one."""
_LEVELS = 4
"""Levels remembered, a third of the drop apart: they reach from the best down to below the drop."""


class Starts:
    """The earliest and the latest start of a change that cannot be ruled out, for every bet.

    A bet staked from start ``s`` on has won ``W(s)``, the logarithm of a likelihood ratio. The
    likeliest start is its maximum; the interval reaches over all starts with
    ``W(s) >= max W - drop``. Where nothing changed yet, ``exp(W(s) - W(true))`` is a martingale
    backwards in time, so an earlier start wins 3 more with probability at most ``exp(-3)``
    (Ville); behind the change the mirrored bound holds for the bet that guesses the change right
    [1]_. That the alarm chose the moment is in neither: what is promised is measured, see
    docs/monitoring.md.

    ``max W`` only grows with new starts, so two facts a bet suffice: the latest start within the
    drop of the best, and the moments at which the best first passed the last few levels, which give
    the earliest one, rounded down by less than a third of the drop.

    Parameters
    ----------
    n_columns, n_bets : int
    drop : float

    References
    ----------
    .. [1] Hinkley (1970). Inference about the change-point in a sequence of random variables.
       Biometrika 57, section 3; Siegmund (1988). Confidence sets in change-point problems.
       International Statistical Review 56; Saha, Ramdas (2025). Post-detection inference for
       sequential changepoint localization (on conditioning on the alarm).
    """

    def __init__(self, n_columns: int, n_bets: int, drop: float = DROP) -> None:
        self._drop, self._unit = drop, drop / (_LEVELS - 1)
        self._passed = np.full((_LEVELS, n_columns, n_bets), np.nan)
        self._level = np.full((n_columns, n_bets), -np.inf)
        self._late = np.full((n_columns, n_bets), np.nan)

    def follow(self, won: Floats, base: Floats, best: Floats, stamps: Floats) -> None:
        """Take up new starts.

        Parameters
        ----------
        won : ndarray of float64
            (n_rows, n_columns, n_bets) minus what each bet won in these rows before each row.
        base : ndarray of float64
            (n_columns, n_bets) minus the same before all of these rows.
        best : ndarray of float64
            (n_columns, n_bets) the highest ``won + base`` of all starts so far, these ones too.
        stamps : ndarray of float64
            (n_rows,) moments of the rows; NaN where unknown.
        """
        near = won >= best - base - self._drop
        latest = stamps[len(won) - 1 - near[::-1].argmax(axis=0)]
        self._late = np.where(near.any(axis=0), latest, self._late)
        level = np.floor(best / self._unit)
        for below in range(_LEVELS):
            wanted = level - below
            column, bet = np.nonzero(wanted > self._level)
            if not len(column):
                break
            first = (won >= wanted * self._unit - base).argmax(axis=0)[column, bet]
            slot = np.mod(wanted[column, bet], _LEVELS).astype(np.int64)
            self._passed[slot, column, bet] = stamps[first]
        self._level = level

    def between(self, column: int, tops: Floats) -> tuple[float, float]:
        """Return the moments of the earliest and latest start; NaN where unknown.

        Parameters
        ----------
        column : int
        tops : ndarray of float64
            (n_bets,) what each bet won since its best start; those near the best count.
        """
        bets = np.flatnonzero(tops >= tops.max() - self._drop)
        bets = bets[np.isfinite(self._level[column, bets])]
        if not len(bets):
            return math.nan, math.nan
        lowest = self._level[column, bets] - (_LEVELS - 1)
        slot = np.mod(lowest, _LEVELS).astype(np.int64)
        early, late = self._passed[slot, column, bets], self._late[column, bets]
        return float(early.min()), float(late.max())

    def restart(self, columns: NDArray[np.int64]) -> None:
        """Forget the starts of these columns."""
        self._passed[:, columns] = np.nan
        self._level[columns] = -np.inf
        self._late[columns] = np.nan

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state; `restore` takes it back."""
        return {"passed": self._passed, "level": self._level, "late": self._late}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up the state of `arrays`."""
        self._passed, self._level, self._late = (
            arrays[name].astype(np.float64) for name in ("passed", "level", "late")
        )
