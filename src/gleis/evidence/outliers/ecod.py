"""The tails of each column, from the empirical distribution of the training rows."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.outliers import EcodOutliers, Tail
from gleis.evidence.outliers.columns import numbers_of, surprises_of

EXACT = 4096
"""Distinct values of a column up to which all are kept."""
_GAP = 0.0099
"""Otherwise: how far ``-log`` of a tail probability may move between two values that are kept. In
between the middle is taken, so a score is off by at most half of it, 0.005, a column."""


def fit_ecod(rows: pl.DataFrame, contract: Contract) -> EcodOutliers:
    """Sort each number; count each category.

    Parameters
    ----------
    rows : polars.DataFrame, (n_rows, ...)
        Training rows with the contract's features. A missing number is no part of its column's
        distribution; how rare it is to miss one is kept beside.
    contract : Contract

    Returns
    -------
    EcodOutliers
        Without a threshold yet (infinite, rate 0): whoever calibrates it sets both.

    References
    ----------
    .. [1] Li, Zhao, Hu, Botta, Ionescu and Chen (2022). ECOD: Unsupervised Outlier Detection Using
       Empirical Cumulative Distribution Functions. IEEE TKDE, equations 3 to 6.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression", features=(Column(name="temp", kind="number"),), target="y"
    ... )
    >>> tail = fit_ecod(pl.DataFrame({"temp": [9.0, 9.0, 11.0, None]}), contract).tails["temp"]
    >>> np.frombuffer(tail.values), np.frombuffer(tail.upto, "<i4"), tail.known
    (array([ 9., 11.]), array([2, 3], dtype=int32), 3)
    """
    names, matrix = numbers_of(rows, contract)
    return EcodOutliers(
        tails={name: _tail(matrix[:, place]) for place, name in enumerate(names)},
        **surprises_of(rows, contract),
        threshold=math.inf,
        rate=0.0,
    )


def _tail(column: NDArray[np.float64]) -> Tail:
    values = column[~np.isnan(column)]
    distinct, counts = np.unique(values, return_counts=True)
    upto = np.cumsum(counts)
    below = upto - counts
    kept = _kept(below, upto, len(values))
    missing = len(column) - len(values)
    return Tail(
        values=distinct[kept].astype("<f8").tobytes(),
        below=below[kept].astype("<i4").tobytes(),
        upto=upto[kept].astype("<i4").tobytes(),
        known=len(values),
        symmetric=_is_symmetric(values),
        missing=-math.log((missing + 1) / (len(column) + 2)),
    )


def _kept(below: NDArray[np.int64], upto: NDArray[np.int64], known: int) -> NDArray[np.intp]:
    """Return which distinct values are kept: all, or so many that no tail moves by ``_GAP``."""
    if len(upto) <= EXACT:
        return np.arange(len(upto))
    left, right = np.log(below + 1), -np.log(known - below + 1)
    found = [0]
    while found[-1] < len(upto) - 1:
        here = found[-1]
        most_left = np.log(upto[here] + 1) + _GAP
        most_right = -np.log(known - upto[here] + 1) + _GAP
        furthest = min(
            int(np.searchsorted(left, most_left, side="right")),
            int(np.searchsorted(right, most_right, side="right")),
        )
        found.append(max(here + 1, furthest - 1))
    return np.array(found)


def _is_symmetric(values: NDArray[np.float64]) -> bool:
    """Say whether the skewness is exactly 0; a column that does not vary has none."""
    if not len(values) or values[0] == values.min() == values.max():
        return True
    unit = np.exp2(np.frexp(np.abs(values).max())[1] - 1.0)  # cubes of huge numbers overflow
    centred = values / unit - np.mean(values / unit)
    return bool(np.mean(centred**3) == 0.0)
