"""What new values are ranked among: the reference and all rows so far, each with its like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.profile import Profile, SeasonCounts
from gleis.data.profile import bin_counts
from gleis.data.season import hours_of, mix
from gleis.monitoring.bets import CELLS, missing_bets
from gleis.monitoring.ranks import count_online, missing_block, rank_block, rank_online

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Ranking:
    """Ranks values of several columns, within their season where there is one.

    With seasons a value is ranked among the values of its own cell of hours. If reference and new
    rows of each cell are exchangeable, the ranks are independent and uniform all the same,
    whatever differs between cells and however often each comes (Mondrian conformal [1]_).

    Parameters
    ----------
    reference : Profile
    season : SeasonCounts, optional
        The same rows by season.

    Attributes
    ----------
    n_cells : int
        1 without seasons.

    References
    ----------
    .. [1] Vovk, Gammerman, Shafer (2022). Algorithmic Learning in a Random World, 2nd ed.,
       section 4.6 (Mondrian predictors; here the taxonomy is the hour).
    """

    def __init__(self, reference: Profile, season: SeasonCounts | None = None) -> None:
        self._season = season
        self._before: list[Counts] = [
            np.array(season.counts[name], dtype=np.int64) if season else bin_counts(sketch)[None]
            for name, sketch in reference.columns.items()
        ]
        self._seen = [np.cumsum(counts, axis=1) for counts in self._before]
        self.n_cells = len(self._before[0])

    def cells(self, stamps: Floats) -> Counts:
        """Return the cell of each row (n_rows,) by its moment; all 0 without seasons."""
        if self._season is None:
            return np.zeros(len(stamps), dtype=np.int64)
        known = np.array(self._season.cells, dtype=np.int64)
        cells: Counts = known[hours_of(stamps, self._season.every)]
        return cells

    def before(self, column: int, rows: Counts) -> Counts:
        """Return the reference's rows by code, in the seasons in which others came.

        Parameters
        ----------
        column : int
        rows : ndarray of int64
            (n_cells,) rows of the others.
        """
        counts = self._before[column]
        return counts[0] if len(counts) == 1 else mix(counts, rows)

    def total(self, column: int) -> Counts:
        """Return how many rows were seen with at most each code, (n_codes,)."""
        seen: Counts = self._seen[column].sum(axis=0)
        return seen

    def rank(
        self, codes: Counts, uniforms: Floats, cells: Counts
    ) -> tuple[Floats, Floats, list[Counts]]:
        """Rank rows, and count them as seen.

        Parameters
        ----------
        codes : ndarray of int64
            (n_rows, n_columns).
        uniforms : ndarray of float64
            (n_rows, n_columns), to break ties.
        cells : ndarray of int64
            (n_rows,).

        Returns
        -------
        ranks : ndarray of float64
            (n_rows, n_columns).
        missing : ndarray of float64
            (n_rows, n_columns) the rank below which values so far were missing.
        passed : list of ndarray of int64
            (n_rows + 1, n_codes) for each column: `total` before each row, and after all.
        """
        if self.n_cells > 1:
            return self._rank_by_cell(codes, uniforms, cells)
        ranks, passed = np.empty(codes.shape), []
        for c, seen in enumerate(self._seen):
            ranks[:, c], counted = rank_online(codes[:, c], uniforms[:, c], seen[0])
            seen[0] = counted[-1]
            passed.append(counted)
        gone = np.stack([counted[:-1, 0] for counted in passed], axis=1)
        missing = (gone + 1) / (passed[0][:-1, -1:] + 2)  # all columns saw as many rows
        return ranks, missing, passed

    def _rank_by_cell(
        self, codes: Counts, uniforms: Floats, cells: Counts
    ) -> tuple[Floats, Floats, list[Counts]]:
        groups = [(cell, np.flatnonzero(cells == cell)) for cell in np.unique(cells)]
        ranks, missing = np.empty(codes.shape), np.empty(codes.shape)
        passed = [count_online(codes[:, c], self.total(c)) for c in range(len(self._seen))]
        for c, seen in enumerate(self._seen):
            for cell, rows in groups:
                own = codes[rows, c]
                ranks[rows, c], counted = rank_online(own, uniforms[rows, c], seen[cell])
                missing[rows, c] = _missing(counted)
                seen[cell] = counted[-1]
        return ranks, missing, passed

    def rank_blocks(self, blocks: Sequence[Counts]) -> tuple[Floats, Floats]:
        """Rank a block of rows, and count them as seen.

        Parameters
        ----------
        blocks : sequence of ndarray of int64
            (n_cells, n_codes) rows of the block, for each column.

        Returns
        -------
        shares : ndarray of float64
            (n_columns, CELLS) share of the ranks in each cell of (0, 1).
        missing : ndarray of float64
            (n_columns, 2) mean of the densities of `missing_bets` over the block's rows.
        """
        shares, parts = np.zeros((len(blocks), CELLS)), []
        for c, (block, seen) in enumerate(zip(blocks, self._seen, strict=True)):
            rows = block.sum(axis=1)
            for cell in np.flatnonzero(rows):
                weight = rows[cell] / rows.sum()
                shares[c] += weight * rank_block(block[cell], seen[cell], CELLS)
                parts.append((c, weight, *missing_block(block[cell], seen[cell])))
            self._seen[c] = seen + np.cumsum(block, axis=1)
        column, weights, ends, inside = np.array(parts).T
        below, above = np.exp(missing_bets(ends))
        means = weights[:, None] * (inside[:, None] * below + (1.0 - inside[:, None]) * above)
        missing = np.zeros((len(blocks), 2))
        np.add.at(missing, column.astype(np.int64), means)
        return shares, missing

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state; `restore` takes it back."""
        return {f"seen{c}": seen for c, seen in enumerate(self._seen)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up the state of `arrays`."""
        self._seen = [arrays[f"seen{c}"].astype(np.int64) for c in range(len(self._seen))]


def _missing(counted: Counts) -> Floats:
    """Where missing values ended among the ranks before each row, (n_rows,)."""
    ends: Floats = (counted[:-1, 0] + 1) / (counted[:-1, -1] + 2)
    return ends
