"""Features as numbers."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.evidence.weighted import Floats

_NUMERIC_TEXT = 0.95
"""Share of a text feature's values that must read as numbers for it to count as one."""


def number_columns(rows: pl.DataFrame, contract: Contract) -> dict[str, Floats]:
    """Return the features that are numbers, text that holds numbers among them; NaN where null.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(task="regression", target="y", features=(
    ...     Column(name="a", kind="integer"), Column(name="b", kind="category")))
    >>> number_columns(pl.DataFrame({"a": [1, None], "b": ["1.5", "2"]}), contract)
    {'a': array([ 1., nan]), 'b': array([1.5, 2. ])}
    """
    found = {}
    for column in contract.features:
        values = rows[column.name]
        if column.kind == "category":
            values = values.cast(pl.String)
            read = values.cast(pl.Float64, strict=False)
            if values.len() == values.null_count():
                continue
            known = (read.len() - read.null_count()) / (values.len() - values.null_count())
            if known < _NUMERIC_TEXT:
                continue
            values = read
        found[column.name] = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found


def ranks(columns: dict[str, Floats]) -> Floats:
    """Return average ranks by column, (n_rows, n_columns); NaN ranks lowest.

    Examples
    --------
    >>> ranks({"a": np.array([3.0, 1.0, 3.0])})[:, 0]
    array([2.5, 1. , 2.5])
    """
    n_rows = len(next(iter(columns.values()))) if columns else 0
    found = np.empty((n_rows, len(columns)))
    for place, values in enumerate(columns.values()):
        found[:, place] = pl.Series(values).fill_nan(-np.inf).rank("average").to_numpy()
    return found


def rank_correlations(columns: dict[str, Floats]) -> Floats:
    """Return Spearman's correlation of every two columns, (n_columns, n_columns); 0 if constant.

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things. American
    Journal of Psychology 15, section IV.
    """
    centred = ranks(columns)
    centred -= centred.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    centred /= np.where(length > 0, length, 1.0)
    products: NDArray[np.float64] = centred.T @ centred
    return products
