"""Columns of a table, whatever library made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import DataError

if TYPE_CHECKING:
    import polars as pl

MISSING = "(missing)"
"""The group of those whose protected value is not known."""


def visible(table: Any, hidden: Sequence[str]) -> Any:
    """Return the table without ``hidden`` columns, unchanged if there are none."""
    if not hidden:
        return table
    return table[[name for name in table.columns if name not in hidden]]


def with_numbers(table: Any, numbers: Mapping[str, NDArray[np.float64]]) -> Any:
    """Return the table with columns replaced, each (n_rows,); NaN where a value is missing."""
    if hasattr(table, "with_columns"):
        import polars as pl

        made = [pl.Series(name, values).fill_nan(None) for name, values in numbers.items()]
        return table.with_columns(made)
    return table.assign(**numbers)


def number_columns(table: Any) -> tuple[str, ...]:
    """Return the names of columns that hold numbers; truth values are none."""
    return tuple(name for name in table.columns if series(table, name).dtype.is_numeric())


def numbers(table: Any, name: str) -> NDArray[np.float64]:
    """Return a column as (n_rows,) float64, NaN where a value is missing."""
    import polars as pl

    values: NDArray[np.float64] = series(table, name).cast(pl.Float64).to_numpy()
    return values


def series(table: Any, name: str) -> pl.Series:
    """Return a column as a polars Series; NaN in numbers becomes null.

    Raises
    ------
    DataError
        If the column is not there.
    """
    import polars as pl

    if name not in list(table.columns):
        raise DataError(
            "A protected column is missing, and the mitigation needs it",
            seen=name,
            remedy=f"Give its values with the others: {', '.join(map(str, table.columns))}.",
            field=name,
        )
    found = table[name]
    if not isinstance(found, pl.Series):
        known = [None if value != value else value for value in found.tolist()]  # noqa: PLR0124
        found = pl.Series(name, known, strict=False)
    return found.fill_nan(None) if found.dtype.is_float() else found


def words(table: Any, name: str, cuts: Sequence[float] = ()) -> NDArray[np.str_]:
    """Return a protected column as text, (n_rows,).

    Parameters
    ----------
    table : DataFrame
    name : str
    cuts : sequence of float, ascending
        Where to cut a number; each band has its lower end.
    """
    import polars as pl

    found = series(table, name)
    if not cuts and not found.dtype.is_numeric():
        return np.asarray(found.cast(pl.String).fill_null(MISSING).to_list(), dtype=np.str_)
    values = found.cast(pl.Float64).to_numpy()
    if not cuts:
        distinct, codes = np.unique(values, return_inverse=True)
        told = [MISSING if np.isnan(one) else f"{one:.12g}" for one in distinct]
        return np.asarray(told)[codes]
    names = np.asarray([*_bands(cuts), MISSING])
    place = np.searchsorted(np.asarray(cuts, dtype=np.float64), values, side="right")
    chosen: NDArray[np.str_] = names[np.where(np.isnan(values), len(names) - 1, place)]
    return chosen


def _bands(cuts: Sequence[float]) -> list[str]:
    between = [f"{low:g} to under {high:g}" for low, high in pairwise(cuts)]
    return [f"under {cuts[0]:g}", *between, f"{cuts[-1]:g} and over"]
