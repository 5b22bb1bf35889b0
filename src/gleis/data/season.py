"""Rows by hour of the day or of the week, so that like is compared with like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.profile import Profile, SeasonCounts, SeasonEvery
from gleis.data.profile import bin_counts, code_values

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

HOURS: Mapping[SeasonEvery, int] = {"day": 24, "week": 168}
_MONDAY = 72
"""1970 began on a Thursday, 72 hours after a Monday's midnight."""
_LEAST = 50
"""Rows of a cell, at least."""
_NUMBERS = 60_000
"""Counts a profile may take by season: a package and the monitors' state stay small."""


def hours_of(stamps: Floats, every: SeasonEvery) -> Counts:
    """Return the hour of the day, or of the week from Monday on, of moments (UTC).

    Parameters
    ----------
    stamps : ndarray of float64
        (n_rows,) seconds since 1970, none of them NaN.
    every : {"day", "week"}

    Examples
    --------
    >>> hours_of(np.array([0.0, 4 * 86400.0]), "week").tolist()
    [72, 0]
    """
    hours = np.floor(stamps / 3600).astype(np.int64)
    return (hours + _MONDAY) % HOURS[every]


def count_seasons(
    profile: Profile, columns: Mapping[str, Sequence[Any] | Any], stamps: Floats, every: SeasonEvery
) -> SeasonCounts:
    """Count a profile's rows by season as well.

    Neighbouring hours share a cell where one alone has fewer than 50 rows, or where there would be
    too many: 60,000 counts over all columns at most, which leaves thirty columns some 58 cells and
    eight columns all 168. Cells are laid by the number of rows alone, never by their values: hours
    put together because they happened to look alike would look otherwise the next time.

    Parameters
    ----------
    profile : Profile
        Of the same rows; its bins are used.
    columns : mapping of str to sequence
        (n_rows,) values of each column of the profile.
    stamps : ndarray of float64
        (n_rows,) moments, seconds since 1970.
    every : {"day", "week"}

    Examples
    --------
    >>> from gleis.data.profile import profile
    >>> import polars as pl
    >>> warm = [20.0 if hour >= 12 else 10.0 for hour in range(24)] * 50
    >>> seen = profile(pl.DataFrame({"temp": warm}), ["temp"])
    >>> found = count_seasons(seen, {"temp": warm}, 3600.0 * np.arange(1200), "day")
    >>> max(found.cells), found.counts["temp"][0], found.counts["temp"][23]
    (23, (0, 0, 50, 0, 0), (0, 0, 0, 50, 0))
    """
    hours, n_hours = hours_of(stamps, every), HOURS[every]
    widths = [len(bin_counts(sketch)) for sketch in profile.columns.values()]
    most = max(_NUMBERS // sum(widths), 1)
    cells = _lay_cells(np.bincount(hours, minlength=n_hours), most)
    n_cells = int(cells.max()) + 1
    tables = {}
    for (name, sketch), width in zip(profile.columns.items(), widths, strict=True):
        keys = cells[hours] * width + code_values(sketch, columns[name])
        table = np.bincount(keys, minlength=n_cells * width).reshape(n_cells, width)
        tables[name] = tuple(map(tuple, table.tolist()))
    return SeasonCounts(every=every, cells=tuple(cells.tolist()), counts=tables)


def _lay_cells(rows: Counts, most: int) -> Counts:
    """Return the cell of each hour: neighbours together until a cell has enough rows."""
    wanted = max(_LEAST, rows.sum() / most)
    cells, cell, held = np.zeros(len(rows), dtype=np.int64), 0, 0
    for hour, count in enumerate(rows.tolist()):
        if held >= wanted:
            cell, held = cell + 1, 0
        cells[hour], held = cell, held + count
    if held < wanted and cell:  # what is left joins the cell before
        cells[cells == cell] = cell - 1
    return cells


def reweigh(season: SeasonCounts, column: str, rows: Counts) -> Counts:
    """Return a column's rows by code as they would be, did they come in the seasons of others.

    Parameters
    ----------
    season : SeasonCounts
    column : str
    rows : ndarray of int64
        (n_cells,) rows of the others by cell.

    Returns
    -------
    ndarray of int64
        (n_codes,), as many rows as the reference has, rounded.
    """
    counts = np.array(season.counts[column], dtype=np.int64)
    return mix(counts, rows)


def mix(counts: Counts, rows: Counts) -> Counts:
    """Return the same of counts (n_cells, n_codes); without rows, those of all cells together."""
    sizes = counts.sum(axis=1)
    wanted = np.where(sizes > 0, rows, 0)
    if not wanted.sum():
        whole: Counts = counts.sum(axis=0)
        return whole
    shares = counts / np.maximum(sizes, 1)[:, None]
    mixed: Counts = np.rint(wanted @ shares * (sizes.sum() / wanted.sum())).astype(np.int64)
    return mixed
