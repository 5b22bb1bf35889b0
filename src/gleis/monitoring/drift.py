"""Drift of columns against a reference, as sequential tests with a known error rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.errors import DataError, StoreError
from gleis.contracts.profile import NumberSketch, Profile, SeasonCounts, Sketch
from gleis.data.profile import as_numbers, bin_counts, code_values
from gleis.monitoring.bets import Side
from gleis.monitoring.blocks import OpenBlock, cut_blocks
from gleis.monitoring.effect import cautious_js, cautious_psi, describe_shift, median_shift
from gleis.monitoring.martingale import Martingale
from gleis.monitoring.multiplicity import combine
from gleis.monitoring.packing import pack, unpack
from gleis.monitoring.ranking import Ranking
from gleis.monitoring.standing import Standing
from gleis.monitoring.telling import Told, tell_shift

Columns = Mapping[str, Sequence[Any] | NDArray[Any]]

_VALUES = 2048
"""Ranks bet on at once: small enough that the arrays stay in the cache."""
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""Seconds since 1970 at which the calendar begins and ends: years 1 to 9999."""


class Change(NamedTuple):
    """What is known about a column's likeliest change."""

    since: datetime | None
    """Event time of the first row after it; None if rows came without times."""
    rows: int
    """Rows since."""
    effect: float
    """Population stability index of these rows against the reference, see `cautious_psi`."""
    mean: float
    """Mean of the values since, NaN if all are missing or the column is a category."""
    words: str
    """``median 38 -> 55.9``."""
    between: tuple[datetime, datetime] | None
    """Interval in which it began, see `Starts`; None if rows came without times."""
    js: float
    """Jensen-Shannon distance of these rows to the reference, see `cautious_js`."""
    shift: float | None
    """Shift of the median in standard deviations of the reference, see `median_shift`."""
    told: Told
    """The same for people."""


class DriftMonitor:
    """Watches columns for a change of their distribution, row by row.

    Each value is ranked among the reference and all values so far (`rank_online`), and a
    `Martingale` bets against the ranks' uniformity. As long as reference and new rows are
    exchangeable (drawn alike, in any order), a column's evidence ever reaches ``1 / alpha`` with
    probability at most ``alpha``.

    Rows that come in runs of alike ones are not exchangeable: an hour shares its weather, a day
    its weekday. For them give ``block``, a time after which such likeness has gone: rows of a
    block are ranked and bet on together (`rank_block`, `Martingale.update_block`), and only blocks
    need be exchangeable. A change is then seen when blocks, not rows, show it.

    Parameters
    ----------
    reference : Profile
        Its bins are the monitor's, its counts what new values are ranked among.
    seed : int or sequence of int
        Seeds the random breaking of ties; monitors over the same rows need different ones only
        if they are to break ties independently.
    side : {"both", "higher"}
        ``higher`` looks for larger values only.
    block : timedelta, optional
        Bet on stretches of time of this length; every update then needs times, and a stretch
        counts when a later one has begun. By default on each row.
    season : SeasonCounts, optional
        The reference by season: each value is then ranked among those of its own hours, see
        `Ranking`, and every update needs times.

    Attributes
    ----------
    columns : tuple of str
    rows : int
        Rows seen.

    Examples
    --------
    >>> from gleis.data.profile import profile
    >>> rng = np.random.default_rng(0)
    >>> seen = profile(pl.DataFrame({"temp": rng.normal(10, 2, 5000)}), ["temp"])
    >>> monitor = DriftMonitor(seen)
    >>> monitor.update({"temp": rng.normal(10, 2, 2000)})
    >>> monitor.combined > math.log10(1 / 0.05)
    False
    >>> monitor.update({"temp": rng.normal(13, 2, 100)})
    >>> monitor.combined > math.log10(1 / 0.05), monitor.change("temp").rows
    (True, 100)
    """

    def __init__(
        self,
        reference: Profile,
        seed: int | Sequence[int] = 0,
        side: Side = "both",
        block: timedelta | None = None,
        season: SeasonCounts | None = None,
    ) -> None:
        if not reference.columns:
            raise DataError("There is no column to watch", remedy="Profile at least one.")
        self.columns = tuple(reference.columns)
        self._sketches: list[Sketch] = list(reference.columns.values())
        self._ranking = Ranking(reference, season)
        bins = [len(bin_counts(sketch)) for sketch in self._sketches]
        self._seed = seed
        self._uniforms = self._generator(0)
        self._block = block.total_seconds() if block else None
        self._open = OpenBlock(bins, self._ranking.n_cells)
        self._martingale = Martingale(
            len(self.columns), side, blocks=block is not None, missing=side == "both"
        )
        self._standing = Standing(len(self.columns))
        self.rows = 0
        shape = self._martingale.start.shape
        totals = [self._ranking.total(c) for c in range(len(bins))]
        self._seen_at = [np.tile(counts, (shape[1], 1)) for counts in totals]
        self._cells = np.zeros(self._ranking.n_cells, dtype=np.int64)
        self._cells_at = np.zeros((*shape, self._ranking.n_cells), dtype=np.int64)
        self._sums = np.zeros(shape[0])
        self._sums_at = np.zeros(shape)
        self._times_at = np.full(shape, np.nan)

    @property
    def combined(self) -> float:
        """log10 of the evidence over all columns together, see `combine`."""
        return combine(self.evidence())

    def evidence(self) -> dict[str, float]:
        """Return log10 of each column's e-value."""
        logs = self._martingale.log_capital() / math.log(10)
        return dict(zip(self.columns, logs.tolist(), strict=True))

    def update(
        self, columns: Columns | pl.DataFrame, times: Sequence[datetime | None] | None = None
    ) -> None:
        """See rows, in the order in which they came.

        How they are cut into updates makes no difference.

        Parameters
        ----------
        columns : mapping of str to sequence, or DataFrame
            (n_rows,) each, at least the monitor's columns. None and NaN are missing values.
        times : sequence of datetime, optional
            (n_rows,) event times, to date a change.

        Raises
        ------
        DataError
            If a column is absent, of another length or of another kind, or times are missing
            where blocks need them; nothing is changed then.
        """
        codes, values = self._encode(columns)
        stamps = _stamps(times, len(codes))
        timed = self._block is not None or self._ranking.n_cells > 1
        if timed and np.isnan(stamps).any():
            what = "Blocks of time" if self._block is not None else "Seasons"
            raise DataError(f"{what} need a time for each row", remedy="Send times.")
        self.rows += len(codes)
        self._standing.add(codes, values, stamps)
        if self._block is not None:
            self._step_blocks(codes, values, stamps, self._block)
            return
        step = max(64, _VALUES // len(self.columns))
        for first in range(0, len(codes), step):
            part = slice(first, first + step)
            self._step(codes[part], values[part], stamps[part])

    def change(self, column: str) -> Change:
        """Return what is known about the likeliest change of a column."""
        c = self.columns.index(column)
        bet = int(self._martingale.best_bet()[c])
        live = np.diff(self._ranking.total(c) - self._seen_at[c][bet], prepend=0)
        known = int(live[1:].sum())
        number = isinstance(self._sketches[c], NumberSketch)
        total = float(self._sums[c] - self._sums_at[c, bet])
        before = self._ranking.before(c, self._cells - self._cells_at[c, bet])
        sketch, run = self._sketches[c], self._standing.run(c)
        told = tell_shift(sketch, before, live, run)
        stamp = run.since if told.stands else float(self._times_at[c, bet])
        since = None if math.isnan(stamp) else _moment(stamp)
        return Change(
            since=since,
            rows=int(live.sum()),
            effect=cautious_psi(before, live),
            mean=total / known if number and known else math.nan,
            words=describe_shift(sketch, before, live),
            between=self._between(c, since),
            js=cautious_js(before, live),
            shift=median_shift(sketch, before, live),
            told=told,
        )

    def _between(self, column: int, since: datetime | None) -> tuple[datetime, datetime] | None:
        """Blocks are known to a block: the change may lie in the one before, or within."""
        spare = self._block or 0.0
        early, late = self._martingale.between(column)
        if since is None or math.isnan(early) or math.isnan(late):
            return None
        at, (early, late) = since.timestamp(), sorted((early, late))
        return _moment(min(early - spare, at)), _moment(max(late + spare, at))

    def restart(self, columns: Sequence[str]) -> None:
        """Test these columns anew from here; the rows seen so far join their reference's ranks."""
        chosen = np.array([self.columns.index(name) for name in columns], dtype=np.int64)
        self._martingale.restart(chosen)
        self._sums_at[chosen] = self._sums[chosen, None]
        self._times_at[chosen] = np.nan
        self._cells_at[chosen] = self._cells
        for c in chosen:
            self._seen_at[c][:] = self._ranking.total(c)

    def to_bytes(self) -> bytes:
        """Return the state; `restore` goes on from it exactly."""
        lists = self._ranking.arrays()
        lists |= {f"seen_at{c}": counts for c, counts in enumerate(self._seen_at)}
        sums = {"sums": self._sums, "sums_at": self._sums_at, "times_at": self._times_at}
        sums |= {"cells": self._cells, "cells_at": self._cells_at}
        present = self._open
        lists |= {f"open{c}": counts for c, counts in enumerate(present.counts)}
        now = [self.rows, present.rows, present.number, present.opened, present.away]
        now += [self._block or 0.0]
        more = {"open_sums": present.sums, "now": np.array(now, dtype=np.float64)}
        return pack(
            {**self._martingale.arrays(), **self._standing.arrays(), **lists, **sums, **more}
        )

    def restore(self, content: bytes) -> None:
        """Take up the state of `to_bytes`, of a monitor made with the same arguments.

        Raises
        ------
        StoreError
            If the bytes are damaged or belong to another reference, block or season.
        """
        arrays, own = unpack(content), unpack(self.to_bytes())
        alike = {k: a.shape for k, a in arrays.items()} == {k: a.shape for k, a in own.items()}
        if not alike or arrays["now"][-1] != own["now"][-1]:
            raise StoreError(
                "The monitors' saved state belongs to another reference, block or season",
                remedy="Remove it: the monitors then start anew.",
            )
        self._take(arrays)

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._martingale.restore(arrays)
        self._standing.restore(arrays)
        self._ranking.restore(arrays)
        self._cells, self._cells_at = arrays["cells"], arrays["cells_at"]
        self._seen_at = [arrays[f"seen_at{c}"] for c in range(len(self.columns))]
        self._sums, self._sums_at = arrays["sums"], arrays["sums_at"]
        self._times_at = arrays["times_at"]
        self._open.counts = [arrays[f"open{c}"] for c in range(len(self.columns))]
        self._open.sums = arrays["open_sums"]
        present = self._open
        rows, open_rows, present.number, present.opened, away, _ = arrays["now"].tolist()
        self.rows, present.rows, present.away = int(rows), int(open_rows), int(away)
        self._uniforms = self._generator(self.rows)

    def _generator(self, rows: int) -> np.random.Generator:
        """Random numbers that depend on seed, row and column only: one draw for each value."""
        return np.random.Generator(np.random.PCG64(self._seed).advance(rows * len(self.columns)))

    def _encode(
        self, columns: Columns | pl.DataFrame
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Codes and values, (n_rows, n_columns) each; categories and missing values count 0."""
        given: Mapping[str, Any] = (
            columns.to_dict() if isinstance(columns, pl.DataFrame) else columns
        )
        absent = [name for name in self.columns if name not in given]
        if absent:
            raise DataError("Rows to watch lack columns", seen=absent, remedy="Send all of them.")
        lengths = {name: len(given[name]) for name in self.columns}
        if len(set(lengths.values())) > 1:
            raise DataError("Columns to watch have different lengths", seen=lengths)
        n_rows = lengths[self.columns[0]]
        codes = np.empty((n_rows, len(self.columns)), dtype=np.int64)
        values = np.zeros((n_rows, len(self.columns)))
        for c, (name, sketch) in enumerate(zip(self.columns, self._sketches, strict=True)):
            column = given[name]
            if isinstance(sketch, NumberSketch):
                column = as_numbers(column)
                values[:, c] = np.where(np.isfinite(column), column, 0.0)
            codes[:, c] = code_values(sketch, column)
        return codes, values

    def _step_blocks(
        self,
        codes: NDArray[np.int64],
        values: NDArray[np.float64],
        stamps: NDArray[np.float64],
        length: float,
    ) -> None:
        present = self._open
        before = present.number if present.rows else math.nan
        parts, present.away = cut_blocks(stamps, length, before, present.away)
        for part, number in parts:
            if present.rows and number != present.number:
                self._close()
            cells, first = self._ranking.cells(stamps[part]), float(stamps[part.start])
            opened = first if first // length == number else number * length  # its clock is off
            present.add(codes[part], values[part], cells, number, opened)

    def _close(self) -> None:
        """Bet on the block that is over."""
        present = self._open
        totals = [self._ranking.total(c) for c in range(len(self.columns))]
        shares, missing = self._ranking.rank_blocks(present.counts)
        newer = self._martingale.update_block(shares, present.opened, missing) >= 0
        self._sums_at = np.where(newer, self._sums[:, None], self._sums_at)
        self._times_at[newer] = present.opened
        self._cells_at[newer] = self._cells
        self._sums = self._sums + present.sums
        self._cells = self._cells + present.counts[0].sum(axis=1)
        for c, total in enumerate(totals):
            self._seen_at[c][newer[c]] = total
        present.clear()

    def _step(
        self,
        codes: NDArray[np.int64],
        values: NDArray[np.float64],
        stamps: NDArray[np.float64],
    ) -> None:
        cells, uniforms = self._ranking.cells(stamps), self._uniforms.random(codes.shape)
        ranks, missing, passed = self._ranking.rank(codes, uniforms, cells)
        first = self._martingale.update(ranks, stamps, missing)
        paid = self._sums + np.concatenate((np.zeros((1, len(self._sums))), values.cumsum(axis=0)))
        column, bet = np.nonzero(first >= 0)
        row = first[column, bet]
        self._sums_at[column, bet] = paid[row, column]
        self._times_at[column, bet] = stamps[row]
        self._sums = paid[-1]
        if self._ranking.n_cells > 1:
            came = self._cells + np.cumsum(np.eye(len(self._cells), dtype=np.int64)[cells], axis=0)
            self._cells_at[column, bet] = np.where((row > 0)[:, None], came[row - 1], self._cells)
            self._cells = came[-1]
        for c, counted in enumerate(passed):
            newer = first[c] >= 0
            self._seen_at[c][newer] = counted[first[c, newer]]


def _moment(stamp: float) -> datetime:
    """Return a moment; one beyond the calendar, from a clock gone wrong, is its end."""
    return datetime.fromtimestamp(min(max(stamp, _FIRST), _LAST), UTC)


def _stamps(times: Sequence[datetime | None] | None, n_rows: int) -> NDArray[np.float64]:
    """Seconds since 1970, (n_rows,), NaN where unknown."""
    if times is None:
        return np.full(n_rows, np.nan)
    if len(times) != n_rows:
        raise DataError(f"{n_rows} rows came with {len(times)} times")
    return np.array([math.nan if t is None else t.timestamp() for t in times], dtype=np.float64)
