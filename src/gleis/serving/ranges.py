"""What training saw of each feature, held against many rows at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.contract import Contract
from gleis.serving.limits import Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray


_REASONS = ("out of range", "unseen category")


class Ranges:
    """Ranges of the numbers and known values of the categories.

    Parameters
    ----------
    contract : Contract

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression",
    ...     features=(Column(name="distance", kind="number", low=80, high=5000),),
    ...     target="delay",
    ... )
    >>> ranges = Ranges(contract)
    >>> columns = {"distance": [100.0, 9000.0]}
    >>> ranges.flags(columns, ranges.numbers(columns))
    {'distance: out of range': [1]}
    """

    def __init__(self, contract: Contract) -> None:
        numeric = [column for column in contract.features if column.kind != "category"]
        self.numeric = tuple(column.name for column in numeric)
        """Numbers, integers and booleans, in the contract's order."""
        self.categories = tuple(c.name for c in contract.features if c.kind == "category")
        self._order = {
            f"{column.name}: {_REASONS[column.kind == 'category']}": place
            for place, column in enumerate(contract.features)
        }
        self.limits = Limits(contract)
        """The project's checks, which a row may fail beyond these."""
        self._order |= {
            limit.flag: len(self._order) + n for n, limit in enumerate(self.limits.limits)
        }
        self._low = _bounds([column.low for column in numeric], -np.inf)
        self._high = _bounds([column.high for column in numeric], np.inf)
        self._known = {
            column.name: frozenset((*column.categories, None))
            for column in contract.features
            if column.kind == "category" and column.categories is not None
        }

    def numbers(self, features: Mapping[str, list[Any]]) -> NDArray[np.float64]:
        """Return the numeric features as a matrix, (n_numeric, n_rows); NaN is missing."""
        if not self.numeric:
            return np.empty((0, len(next(iter(features.values()), ()))))
        return np.array([features[name] for name in self.numeric], dtype=np.float64)

    def flags(
        self, features: Mapping[str, list[Any]], numbers: NDArray[np.float64]
    ) -> dict[str, list[int]]:
        """Return ``"distance: out of range"`` or ``"carrier: unseen category"`` -> positions.

        Parameters
        ----------
        features : mapping of str to list, each (n_rows,)
        numbers : ndarray
            ``numbers(features)``.
        """
        flags: dict[str, list[int]] = {}
        outside = (numbers < self._low) | (numbers > self._high)
        if outside.any():
            for name, row in zip(self.numeric, outside, strict=True):
                if row.any():
                    flags[f"{name}: out of range"] = row.nonzero()[0].tolist()
        for name, known in self._known.items():
            values = features[name]
            if not known.issuperset(values):
                flags[f"{name}: unseen category"] = [
                    position for position, value in enumerate(values) if value not in known
                ]
        self.limits.add(features, flags)
        return self.ordered(flags)

    def ordered(self, flags: dict[str, list[int]]) -> dict[str, list[int]]:
        """Return flags in the order of the contract's features."""
        if len(flags) < 2:
            return flags
        return {flag: flags[flag] for flag in sorted(flags, key=self._place)}

    def _place(self, flag: str) -> int:
        """Return where a flag stands; those of lookups come after those of features."""
        return self._order.get(flag, len(self._order))


def _bounds(values: list[float | None], none: float) -> NDArray[np.float64]:
    return np.array([none if value is None else value for value in values], np.float64)[:, None]
