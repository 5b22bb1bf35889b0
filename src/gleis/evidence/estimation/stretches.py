"""Answers and labels as sums by stretches of time: days, and older ones by window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from gleis.contracts.estimation import ClassEstimation, Estimation
from gleis.evidence.estimation.class_sums import ClassSums, cells_of
from gleis.evidence.estimation.estimate import Sums
from gleis.evidence.weighted import Floats

_FINE = 28
"""Newest stretches that are kept as they are; older ones are added up by window."""
_COARSE = 20
"""Windows of older ones that are kept."""
_DAY = timedelta(days=1)


class Kept(msgspec.Struct, frozen=True):
    """Sums by stretch as bytes."""

    fine: dict[int, bytes]
    coarse: dict[int, bytes]


class Grid(NamedTuple):
    """How time is cut."""

    origin: datetime
    """Begin of the first window."""
    window: timedelta
    stretch: timedelta

    def window_of(self, moment: datetime) -> int:
        """Return the number of the window a moment is in; below 0 before the origin."""
        return (moment - self.origin) // self.window

    def stretch_of(self, moment: datetime) -> int:
        """Return the number of the stretch a moment is in."""
        return (moment - self.origin) // self.stretch

    def starts(self, stretch: int) -> datetime:
        """Return when a stretch begins."""
        return self.origin + stretch * self.stretch

    def window_starts(self, window: int) -> datetime:
        """Return when a window begins."""
        return self.origin + window * self.window


def make_grid(now: datetime, window: timedelta) -> Grid:
    """Cut time into windows, and these into stretches of a day, or a seventh of short windows.

    Examples
    --------
    >>> grid = make_grid(datetime(2013, 4, 1, 9, tzinfo=UTC), timedelta(days=7))
    >>> grid.stretch, grid.origin.hour
    (datetime.timedelta(days=1), 0)
    """
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    stretch = _DAY if window >= 4 * _DAY and window % _DAY == timedelta(0) else window / 8
    return Grid(midnight, window, stretch)


class Stretches:
    """Sums by stretch of time, of a bounded number of stretches.

    Parameters
    ----------
    grid : Grid
    kept : Kept, optional
        As `keep` returned it.
    """

    def __init__(self, grid: Grid, kept: Kept | None = None) -> None:
        self._grid = grid
        self._fine: dict[int, Floats] = {}
        self._coarse: dict[int, Floats] = {}
        if kept is not None:
            self._fine = {at: _read(body) for at, body in kept.fine.items()}
            self._coarse = {at: _read(body) for at, body in kept.coarse.items()}

    def add(self, stretch: int, sums: Floats) -> None:
        """Add sums to a stretch."""
        window = self._grid.window_of(self._grid.starts(stretch))
        if window in self._coarse:
            self._coarse[window] = self._coarse[window] + sums
        else:
            known = self._fine.get(stretch)
            self._fine[stretch] = sums if known is None else known + sums
            self._tidy()

    def since(self, moment: datetime) -> list[tuple[datetime, Floats]]:
        """Return begin and sums of stretches that end after a moment, oldest first."""
        found = [(start, sums) for start, length, sums in self._all() if start + length > moment]
        return sorted(found, key=lambda one: one[0])

    def of_window(self, window: int) -> list[tuple[datetime, Floats]]:
        """Return begin and sums of the stretches of a window, oldest first."""
        start = self._grid.window_starts(window)
        inside = self.since(start)
        return [one for one in inside if start <= one[0] < start + self._grid.window]

    def windows(self) -> list[int]:
        """Return the numbers of the windows that hold anything, in their order."""
        fine = {self._grid.window_of(self._grid.starts(at)) for at in self._fine}
        return sorted(fine | set(self._coarse))

    def drop(self, before: datetime) -> None:
        """Forget stretches that end before a moment."""
        self._fine = {
            at: sums for at, sums in self._fine.items() if self._grid.starts(at + 1) > before
        }
        self._coarse = {
            at: sums
            for at, sums in self._coarse.items()
            if self._grid.window_starts(at + 1) > before
        }

    def keep(self) -> Kept:
        """Return the state."""
        return Kept(
            {at: sums.tobytes() for at, sums in self._fine.items()},
            {at: sums.tobytes() for at, sums in self._coarse.items()},
        )

    def _all(self) -> Iterator[tuple[datetime, timedelta, Floats]]:
        for at, sums in self._coarse.items():
            yield self._grid.window_starts(at), self._grid.window, sums
        for at, sums in self._fine.items():
            yield self._grid.starts(at), self._grid.stretch, sums

    def _tidy(self) -> None:
        """Add up the oldest window's stretches while there are too many of them."""
        while len(self._fine) > _FINE:
            oldest = self._grid.window_of(self._grid.starts(min(self._fine)))
            whole = [
                at for at in self._fine if self._grid.window_of(self._grid.starts(at)) == oldest
            ]
            self._coarse[oldest] = np.sum([self._fine.pop(at) for at in whole], axis=0)
        while len(self._coarse) > _COARSE:
            del self._coarse[min(self._coarse)]


def pack(sums: Sums) -> Floats:
    """Return sums as numbers that add up, (n_numbers,)."""
    if not isinstance(sums, ClassSums):
        return sums
    parts = (sums.rows, sums.table.ravel(), sums.ranks.ravel(), [sums.spread])
    return np.concatenate(parts)


def unpack(numbers: Floats, estimation: Estimation) -> Sums:
    """Return the sums again."""
    if not isinstance(estimation, ClassEstimation):
        return numbers
    cells = cells_of(estimation.cuts, estimation.ranks)
    n_cells, n_classes = len(cells.decided), len(estimation.shares[0])
    width = max((len(edges) for edges in cells.ranks), default=-1) + 1
    ranks = (2, len(cells.ranks), width)
    ends = np.cumsum([n_cells, 5 * n_cells * n_classes, 2 * len(cells.ranks) * width])
    rows, table, order, spread = np.split(numbers, ends)
    return ClassSums(
        rows, table.reshape(5, n_cells, n_classes), order.reshape(ranks), float(spread[0])
    )


def _read(body: bytes) -> Floats:
    return np.frombuffer(body, dtype=np.float64)
