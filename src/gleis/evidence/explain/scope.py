"""What a counterfactual may change, to which values, and how far that is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.evidence.explain.asked_row import AskedRow

Array = NDArray[Any]
_GRID = 17
"""Quantiles of the background that a number may become."""
_WORDS = 100
"""Categories that may be tried: the most frequent ones."""
_DECIMALS = 6


class Scope:
    """The features of a row that may change.

    A number stays between the least and the greatest that training saw, a whole number stays
    whole, a category becomes one that training knew; nothing becomes missing. What is the same in
    the whole background is left alone.

    Parameters
    ----------
    asked : AskedRow
    immutable : iterable of str
        Features that may not change.

    Raises
    ------
    InvalidRowError
        An immutable feature is none of the model's.
    CannotExplainError
        Nothing is left that may change.
    """

    def __init__(self, asked: AskedRow, immutable: Iterable[str]) -> None:
        self.asked = asked
        self.row = asked.numbers
        names = asked.model.contract.names
        self.immutable = _known(immutable, names)
        free = np.array([name not in self.immutable for name in names], dtype=bool)
        self.features: list[int] = np.flatnonzero(free & asked.seen.varies).tolist()
        """Those that may change."""
        if not self.features:
            raise CannotExplainError(
                "No feature may change, so no other answer can be reached",
                seen=", ".join(self.immutable) or "all features are constant",
                remedy="Take features that a person can change out of immutable.",
                field="immutable",
            )
        self.whole = asked.seen.whole
        self.low, self.high = self._ends()
        self.spread = asked.seen.spread
        """(n_features,) unit of distance: the median absolute deviation; 1 of a category."""

    def _ends(self) -> tuple[Array, Array]:
        low, high = [], []
        for j, column in enumerate(self.asked.model.contract.features):
            known = self.asked.seen.known(j)
            least, most = (known.min(), known.max()) if len(known) else (np.nan, np.nan)
            low.append(least if column.low is None else column.low)
            high.append(most if column.high is None else column.high)
        return np.array(low, dtype=float), np.array(high, dtype=float)

    @cached_property
    def decimals(self) -> dict[int, int]:
        """Decimals that the background's numbers are given with; at most 6."""
        found = {}
        for j in self.features:
            if self.asked.seen.numeric[j]:
                known = self.asked.seen.known(j)
                digits = range(0 if self.whole[j] else _DECIMALS)
                found[j] = next(
                    (d for d in digits if np.array_equal(np.round(known, d), known)),
                    0 if self.whole[j] else _DECIMALS,
                )
        return found

    def values(self, feature: int) -> Array:
        """Return the values that a feature may be tried with, without the row's own."""
        known = self.asked.seen.known(feature)
        column = self.asked.model.contract.features[feature]
        if self.asked.seen.numeric[feature]:
            inside = known[(known >= self.low[feature]) & (known <= self.high[feature])]
            ends = [self.low[feature], self.high[feature]]
            at = np.linspace(0, max(len(inside) - 1, 0), _GRID).astype(np.int64)
            steps = inside[at].tolist() if len(inside) else []
            found = np.array(sorted({*steps, *ends}))
        elif column.kind == "boolean":
            found = np.array([0.0, 1.0])
        else:
            counts = np.bincount(known.astype(np.int64))
            found = np.argsort(-counts, kind="stable")[: min(_WORDS, np.count_nonzero(counts))]
            if column.categories is not None:
                found = found[found < len(column.categories)]
        others: Array = found[found != self.row[feature]].astype(float)
        return others

    def distance(self, rows: Array) -> Array:
        """Return how far rows are from the row: the sum of changes in units of spread, (n,)."""
        found: Array = self.steps(rows).sum(axis=1)
        return found

    def steps(self, rows: Array) -> Array:
        """Return how far each feature is from the row's, (n, n_features).

        A change of category is 1. From missing to known is 1 too, and more for a number that is far
        from the background's median.
        """
        unknown = np.isnan(self.row)
        start = np.where(unknown, self.asked.seen.centre, self.row)
        apart = np.abs(rows - start) / self.spread + unknown
        changed = (rows != self.row) & ~(np.isnan(rows) & np.isnan(self.row))
        found: Array = np.where(self.asked.seen.numeric & ~np.isnan(apart), apart, changed)
        return found

    def inside(self, rows: Array) -> Array:
        """Return which rows change only what may change, to what may be, (n,) bool."""
        changed = self.steps(rows) > 0
        free = np.zeros(len(self.row), dtype=bool)
        free[self.features] = True
        fits: Array = np.logical_and(rows >= self.low, rows <= self.high)
        fits &= ~self.whole | (rows == np.rint(rows))
        words = np.array(
            [
                np.inf if c.categories is None else len(c.categories)
                for c in self.asked.model.contract.features
            ]
        )
        may_be = np.where(self.asked.seen.numeric, fits, rows < words)
        return np.asarray((~changed | (free & may_be)).all(axis=1))


def _known(immutable: Iterable[str], names: tuple[str, ...]) -> tuple[str, ...]:
    asked = tuple(immutable)
    for name in asked:
        if name not in names:
            near = get_close_matches(name, names, 1, 0.5)
            raise InvalidRowError(
                "immutable names no feature of the model",
                seen=name,
                remedy=f"Did you mean {near[0]}?" if near else f"It has {', '.join(names)}.",
                field="immutable",
            )
    return tuple(name for name in names if name in asked)
