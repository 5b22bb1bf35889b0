"""What the background says of each feature, found once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.evidence.explain.discretise import QUARTILES, codes, edges_of

Array = NDArray[Any]


class Seen:
    """The features of a contract, as background rows show them.

    Parameters
    ----------
    contract : Contract
    rows : ndarray, (n_rows, n_features)
        Numbers; see ``Coding``. NaN is missing.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> size = Column(name="size", kind="integer")
    >>> contract = Contract(task="regression", features=(size,), target="y")
    >>> seen = Seen(contract, np.array([[1.0], [2.0], [4.0], [9.0], [np.nan]]))
    >>> seen.edges(0).tolist(), seen.spread.tolist(), seen.centre.tolist()
    ([1.0, 2.0, 4.0], [1.5], [3.0])
    """

    def __init__(self, contract: Contract, rows: Array) -> None:
        kinds = [column.kind for column in contract.features]
        self.rows = rows
        self.numeric: Array = np.array([kind in {"number", "integer"} for kind in kinds], bool)
        """(n_features,) bool: an order among its values means something."""
        self.whole: Array = np.array([kind == "integer" for kind in kinds], bool)
        """(n_features,) bool: whole numbers."""
        self._known: dict[int, Array] = {}
        self._edges: dict[tuple[int, Sequence[float]], Array] = {}

    @cached_property
    def varies(self) -> Array:
        """(n_features,) bool: there is more than one value of it; missing is one."""
        first = self.rows[:1]
        same = (self.rows == first) | (np.isnan(self.rows) & np.isnan(first))
        found: Array = ~same.all(axis=0)
        return found

    def known(self, feature: int) -> Array:
        """Return the values of a feature, sorted, without missing ones."""
        if feature not in self._known:
            values = self.rows[:, feature]
            self._known[feature] = np.sort(values[~np.isnan(values)])
        return self._known[feature]

    def edges(self, feature: int, shares: tuple[float, ...] = QUARTILES) -> Array:
        """Return where a number is cut, rising; empty of a category.

        As ``edges_of``, but at values that were seen: between two of them it makes no difference.
        """
        if (feature, shares) not in self._edges:
            known = self.known(feature) if self.numeric[feature] else np.empty(0)
            below = np.searchsorted(known, edges_of(known, shares), side="right") - 1
            self._edges[feature, shares] = np.unique(known[below])
        return self._edges[feature, shares]

    @cached_property
    def codes(self) -> Array:
        """(n_rows, n_features) int32: the quarter a number lies in, or a category's code."""
        return self.codes_of(self.rows)

    def codes_of(self, rows: Array) -> Array:
        """Return what values count as, (n, n_features) int32; -1 where missing."""
        return codes(rows, self.numeric, [self.edges(j) for j in range(rows.shape[1])])

    @cached_property
    def centre(self) -> Array:
        """(n_features,) the median, of numbers."""
        return np.array([_median(self.known(j)) for j in range(self.rows.shape[1])])

    @cached_property
    def spread(self) -> Array:
        """(n_features,) the median absolute deviation of numbers; 1 of categories.

        Where more than half of the values are the same: the mean absolute deviation.
        """
        return np.array([self._spread(j) for j in range(self.rows.shape[1])])

    def _spread(self, feature: int) -> float:
        known = self.known(feature)
        if not self.numeric[feature] or not len(known):
            return 1.0
        off = np.sort(np.abs(known - self.centre[feature]))
        return _median(off) or float(off.mean()) or 1.0


def _median(known: Array) -> float:
    if not len(known):
        return 0.0
    return float(known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
