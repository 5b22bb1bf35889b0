"""Rows as arrays that are quick to damage, and columns again for the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Column, Contract
from gleis.contracts.ports import Columns

Array = NDArray[Any]
Word = str | bool
NUMERIC = ("number", "integer")


@dataclass(frozen=True)
class Table:
    """Rows, a feature an array.

    Examples
    --------
    >>> contract = Contract(
    ...     task="regression",
    ...     features=(Column(name="shop", kind="category", categories=("a", "b")),),
    ...     target="y",
    ... )
    >>> table = read_table(pl.DataFrame({"shop": ["b", None]}), contract)
    >>> table.values["shop"], table.columns()["shop"].to_list()
    (array([ 1, -1]), ['b', None])
    """

    features: tuple[Column, ...]
    values: dict[str, Array]
    """(n_rows,) a feature. Numbers and integers: float64, NaN where missing. Categories and
    booleans: place in ``words``, -1 where missing."""
    words: dict[str, tuple[Word, ...]]
    """Of categories and booleans: what their values may be; the contract's first."""

    def __len__(self) -> int:
        return len(next(iter(self.values.values()))) if self.values else 0

    def of_kind(self, *kinds: str) -> tuple[Column, ...]:
        """Return the features of these kinds, in order."""
        return tuple(column for column in self.features if column.kind in kinds)

    def missing(self, name: str) -> NDArray[np.bool_]:
        """Say where a feature is missing, (n_rows,)."""
        values = self.values[name]
        found: NDArray[np.bool_] = values < 0 if name in self.words else np.isnan(values)
        return found

    def changed(self, changes: Mapping[str, Array]) -> Table:
        """Return the table with other values of some features."""
        return replace(self, values={**self.values, **changes})

    def take(self, at: Array) -> Table:
        """Return the rows at these places."""
        return replace(self, values={name: values[at] for name, values in self.values.items()})

    def columns(self) -> Columns:
        """Return the features as ``Model.predict`` takes them."""
        found: dict[str, Any] = {}
        for column in self.features:
            values = self.values[column.name]
            if column.name not in self.words:
                found[column.name] = values
                continue
            dtype = pl.String if column.kind == "category" else pl.Boolean
            words = pl.Series(column.name, [*self.words[column.name], None], dtype=dtype)
            found[column.name] = words.gather(np.where(values < 0, len(words) - 1, values))
        return found


def read_table(
    rows: pl.DataFrame, contract: Contract, known: Mapping[str, tuple[Word, ...]] | None = None
) -> Table:
    """Read the contract's features of rows.

    Parameters
    ----------
    rows : polars.DataFrame, n_rows high
    contract : Contract
    known : mapping of str to tuple of words, optional
        ``words`` of another table, whose places are kept; by default the contract's categories.

    Returns
    -------
    Table
        Whole numbers are held as float64: exact up to 2**53.
    """
    values: dict[str, Array] = {}
    words: dict[str, tuple[Word, ...]] = {}
    for column in contract.features:
        series = rows[column.name]
        if column.kind in NUMERIC:
            values[column.name] = series.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
        else:
            before = (known or {}).get(column.name, column.categories or ())
            values[column.name], words[column.name] = _code(series, column, before)
    return Table(contract.features, values, words)


def _code(
    series: pl.Series, column: Column, known: tuple[Word, ...]
) -> tuple[Array, tuple[Word, ...]]:
    if column.kind == "boolean":
        codes = series.cast(pl.Boolean).cast(pl.Int64).fill_null(-1)
        return codes.to_numpy().copy(), (False, True)
    text = series.cast(pl.String)
    more = sorted(set(text.drop_nulls().unique().to_list()) - set(known))
    words = (*known, *more)
    if not words:
        return np.full(len(text), -1), words
    places = pl.Series(np.arange(len(words)))
    codes = text.replace_strict(
        pl.Series(words), places, default=-1, return_dtype=pl.Int64
    ).fill_null(-1)
    return codes.to_numpy().copy(), words
