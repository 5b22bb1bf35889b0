"""The row whose answer is explained, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.contracts.explanation import Value
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.seen import Seen

Array = NDArray[Any]
_TEXT_FROM, _TEXT_SHARE = 50, 0.9
"""A category with this many rows or more, of which so many differ, is text."""


@dataclass(frozen=True)
class AskedRow:
    """A row, as numbers, with what is known of its features."""

    model: Explainable
    numbers: Array
    """(n_features,), in the contract's order; NaN where missing."""

    @property
    def background(self) -> Array:
        """(n_background, n_features)."""
        return self.model.background_matrix

    @property
    def seen(self) -> Seen:
        """What the background says of each feature."""
        return self.model.seen

    def own(self, name: str) -> Value:
        """Return the row's value of a feature."""
        place = self.model.coding.place[name]
        return self.value(place, float(self.numbers[place]))

    def value(self, feature: int, number: float) -> Value:
        """Return a number as a person reads it."""
        return self.model.coding.value(self.model.contract.names[feature], number)


def read_row(model: Explainable, row: Mapping[str, Any]) -> AskedRow:
    """Check a row and read it as numbers.

    Parameters
    ----------
    model : Explainable
    row : mapping
        Feature -> value, of all features; None where one is missing.

    Raises
    ------
    InvalidRowError
        If the row lacks a feature, one is missing that training never saw missing, or a number is
        infinite.
    CannotExplainError
        If a feature is text: nothing can be put in its place.
    DataError
        If a value is of another kind.
    """
    for column in model.contract.features:
        if column.name not in row:
            raise InvalidRowError(
                f"The row lacks the feature {column.name}",
                remedy="Give every feature that the model has, None where one is unknown."
                if column.nullable
                else "Give every feature that the model has.",
                field=column.name,
            )
        if row[column.name] is None and not column.nullable:
            raise InvalidRowError(
                f"{column.name} is missing, and training never saw it missing",
                remedy="Give its value.",
                field=column.name,
            )
    asked = AskedRow(model, model.coding.row(row))
    for name, number in zip(model.contract.names, asked.numbers.tolist(), strict=True):
        if isinf(number):
            raise InvalidRowError(
                f"{name} is infinite", seen=number, remedy="Give a finite number.", field=name
            )
    _refuse_text(asked)
    return asked


def _refuse_text(asked: AskedRow) -> None:
    names = asked.model.contract.names
    for name in asked.model.coding.words:
        codes = asked.seen.known(names.index(name))
        words = np.count_nonzero(np.bincount(codes.astype(np.int64)))
        if len(codes) >= _TEXT_FROM and words > _TEXT_SHARE * len(codes):
            raise CannotExplainError(
                f"{name} is text: hardly two rows share a value, so no other can stand for it",
                seen=asked.own(name),
                remedy="Derive categories or numbers from it in load, or ask for shap.",
                field=name,
            )
