"""What is usual for each feature: the scale that damage is measured in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gleis.evidence.robustness.table import NUMERIC, Array, Table
from gleis.evidence.weighted import Floats


@dataclass(frozen=True)
class Usual:
    """One feature in the training rows."""

    spread: float
    """Standard deviation of a number, 0 where it does not vary or is never there."""
    value: float
    """Mean of a number, rounded for integers; place of the most frequent word otherwise. NaN or -1
    if it is never there."""
    shares: Floats
    """(n_words,) share of each word among the rows that have one; empty for numbers."""


def usual_of(table: Table) -> dict[str, Usual]:
    """Return what is usual for each feature.

    Parameters
    ----------
    table : Table
        Training rows.

    Examples
    --------
    >>> import polars as pl
    >>> from gleis.contracts.contract import Column, Contract
    >>> from gleis.evidence.robustness.table import read_table
    >>> contract = Contract(
    ...     task="regression", features=(Column(name="n", kind="integer"),), target="y"
    ... )
    >>> usual_of(read_table(pl.DataFrame({"n": [1, 2, 5, None]}), contract))["n"].value
    3.0
    """
    found = {}
    for column in table.features:
        values = table.values[column.name]
        if column.kind in NUMERIC:
            found[column.name] = _number(values, whole=column.kind == "integer")
        else:
            found[column.name] = _words(values, len(table.words[column.name]))
    return found


def _number(values: Array, *, whole: bool) -> Usual:
    known = values[np.isfinite(values)]
    nothing = np.empty(0)
    if not len(known):
        return Usual(spread=0.0, value=float("nan"), shares=nothing)
    mean = float(known.mean())
    # A column of one value has the spread of its rounding errors, which is none.
    spread = 0.0 if known.min() == known.max() else float(known.std())
    return Usual(spread=spread, value=float(np.rint(mean)) if whole else mean, shares=nothing)


def _words(codes: Array, n_words: int) -> Usual:
    counts = np.bincount(codes[codes >= 0], minlength=n_words)[:n_words].astype(np.float64)
    if not counts.sum():
        return Usual(spread=0.0, value=-1.0, shares=counts)
    return Usual(spread=0.0, value=float(np.argmax(counts)), shares=counts / counts.sum())
