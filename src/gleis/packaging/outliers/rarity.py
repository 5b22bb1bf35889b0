"""How rare categories are: the part that all outlier methods share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.outliers import OutlierModel, Strangeness
from gleis.packaging.coded import Coded

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rarity:
    """Looks up ``-log p`` of categories.

    Parameters
    ----------
    model : OutlierModel
    """

    def __init__(self, model: OutlierModel) -> None:
        self._known: dict[str, dict[Any, float]] = {
            name: {**known, None: model.missing[name]} for name, known in model.surprise.items()
        }
        self._unseen = model.unseen
        self.names = tuple(self._known)
        """The categories, in their order."""
        self.look_up: list[tuple[str, dict[Any, float], float]] = [
            (name, known, model.unseen[name]) for name, known in self._known.items()
        ]
        """Category, value -> ``-log p``, and that of any other value."""

    def of(self, name: str, values: Sequence[Any]) -> Any:
        """Return ``-log p`` of each value of a category, (n_rows,)."""
        known, unseen = self._known[name], self._unseen[name]
        if isinstance(values, Coded):
            found: NDArray[np.float64] = values.look_up(known.get, default=unseen)
            return found
        get = known.get
        return [get(value, unseen) for value in values]

    def explain(self, name: str, value: Any) -> Strangeness:
        """Say how much a value adds beside the most common one, and how rare it is."""
        adds = self._known[name].get(value, self._unseen[name])
        common = min(self._known[name], key=self._known[name].__getitem__)
        share = math.exp(-self._known[name][common])
        what = "missing" if common is None else common
        return Strangeness(
            feature=name,
            value=value,
            adds=max(0.0, adds - self._known[name][common]),
            usual=f"{what} in {share:.0%}, this {_how_often(adds, self._seen(name, value))}",
        )

    def _seen(self, name: str, value: Any) -> bool:
        return value in self._known[name]


def _how_often(surprise: float, seen: bool) -> str:
    return f"in 1 of {math.exp(surprise):,.0f} rows" if seen else "in none"


def strangest(found: Sequence[Strangeness]) -> list[Strangeness]:
    """Return those that add something, the strangest first."""
    return sorted((one for one in found if one.adds > 0.0), key=lambda one: -one.adds)


def number_of(value: Any) -> float:
    """Return a feature's value as a number, NaN where it is missing."""
    return math.nan if value is None else float(value)


def names_of(row: Mapping[str, Any], names: Sequence[str]) -> NDArray[np.float64]:
    """Return the named features of a row as numbers, (n_names,), NaN where missing."""
    return np.array([number_of(row[name]) for name in names], dtype=np.float64)
