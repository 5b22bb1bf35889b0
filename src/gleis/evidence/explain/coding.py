"""Rows as one matrix of numbers and back: words become codes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError
from gleis.contracts.ports import Columns

Matrix = NDArray[np.float64]


class Coding:
    """The features of a contract as columns of a matrix, in the contract's order.

    NaN is a missing value, a boolean is 0 or 1, a category is the place of its word in ``words``.

    Parameters
    ----------
    contract : Contract
    more : mapping of str to sequence of str, optional
        Words beside the contract's, by feature.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> features = (
    ...     Column(name="shop", kind="category", categories=("a", "b")),
    ...     Column(name="size", kind="number"),
    ... )
    >>> coding = Coding(Contract(task="regression", features=features, target="y"))
    >>> matrix = coding.encode({"shop": ["b", None], "size": [1.5, 2]})
    >>> matrix
    array([[1. , 1.5],
           [nan, 2. ]])
    >>> {name: values.tolist() for name, values in coding.decode(matrix).items()}
    {'shop': ['b', None], 'size': [1.5, 2.0]}
    """

    def __init__(self, contract: Contract, more: Mapping[str, Sequence[str]] | None = None) -> None:
        self.contract = contract
        self.names: tuple[str, ...] = contract.names
        self.place: dict[str, int] = {name: j for j, name in enumerate(self.names)}
        """Feature -> column of the matrix."""
        self.words: dict[str, tuple[str, ...]] = {
            column.name: _words(column.categories or (), (more or {}).get(column.name, ()))
            for column in contract.features
            if column.kind == "category"
        }
        """Of a category: code -> word."""
        self._codes: dict[str, dict[Any, float]] = {
            name: {word: float(code) for code, word in enumerate(words)} | {None: math.nan}
            for name, words in self.words.items()
        }
        self._objects = {
            name: np.array([*words, None], dtype=object) for name, words in self.words.items()
        }

    def knowing(self, columns: Columns) -> Coding:
        """Return a coding that knows the words in ``columns`` too; itself if it does already."""
        more = {
            name: sorted({v for v in _listed(columns[name]) if isinstance(v, str)} - {*words})
            for name, words in self.words.items()
            if name in columns
        }
        if not any(more.values()):
            return self
        known = {name: (*words, *more.get(name, ())) for name, words in self.words.items()}
        return Coding(self.contract, known)

    def encode(self, columns: Columns) -> Matrix:
        """Return rows as numbers, (n_rows, n_features).

        Parameters
        ----------
        columns : mapping of str to sequence, each (n_rows,)
            Lists, arrays or polars Series, of all features; None or NaN is a missing value.

        Raises
        ------
        DataError
            If a feature is absent, of another kind, or a word is not known; see ``knowing``.
        """
        found = [
            self._numbers(column.name, column.kind, columns) for column in self.contract.features
        ]
        if len({len(numbers) for numbers in found}) > 1:
            raise DataError(
                "The columns differ in length",
                seen=sorted({len(numbers) for numbers in found}),
                remedy="Give as many values of each feature.",
            )
        return np.column_stack(found) if found else np.empty((0, 0))

    def row(self, row: Mapping[str, Any]) -> Matrix:
        """Return one row as numbers, (n_features,); see ``encode``."""
        numbers: Matrix = self.encode({name: [row.get(name)] for name in self.names})[0]
        return numbers

    def decode(self, matrix: Matrix) -> dict[str, Any]:
        """Return rows as columns that a model takes.

        Parameters
        ----------
        matrix : ndarray, (n_rows, n_features)

        Returns
        -------
        dict of str to sequence, each (n_rows,)
            Numbers and integers as float64 with NaN; categories as objects, booleans as a list,
            None where missing.
        """
        return {
            column.name: self.values(column.name, matrix[:, j])
            for j, column in enumerate(self.contract.features)
        }

    def values(self, feature: str, numbers: Matrix) -> Any:
        """Return one column of the matrix as ``decode`` does, (n_rows,)."""
        kind = self.contract.features[self.place[feature]].kind
        if kind in {"number", "integer"}:
            return np.ascontiguousarray(numbers)
        missing = np.isnan(numbers)
        codes = np.where(missing, -1, np.nan_to_num(numbers)).astype(np.int64)
        if kind == "category":
            return self._objects[feature][codes]
        return np.array([False, True, None], dtype=object)[codes].tolist()

    def value(self, feature: str, number: float) -> str | float | int | bool | None:
        """Return one number of the matrix as a person reads it: integers whole, None if missing."""
        if math.isnan(number):
            return None
        kind = self.contract.features[self.place[feature]].kind
        if kind == "category":
            return self.words[feature][int(number)]
        if kind == "boolean":
            return bool(number)
        return int(number) if kind == "integer" and float(number).is_integer() else float(number)

    def _numbers(self, name: str, kind: str, columns: Columns) -> Matrix:
        if name not in columns:
            raise DataError(
                "A feature is missing",
                seen=name,
                remedy="Give its values, None where one is unknown.",
                field=name,
            )
        try:
            values = columns[name]
            if kind == "category":
                codes = self._codes[name]
                return np.array([codes[_word(v)] for v in _listed(values)], dtype=np.float64)
            return _floats(values)
        except (TypeError, ValueError, KeyError) as error:
            raise DataError(
                f"{name} holds what is no {kind}, or no known word: {error}",
                remedy="Give values of that kind, and None where one is missing.",
                field=name,
            ) from error


def _words(known: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))


def _word(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _listed(values: Any) -> list[Any]:
    to_list = getattr(values, "tolist", None) or getattr(values, "to_list", None)
    return [*(to_list() if to_list is not None else values)]


def _floats(values: Any) -> Matrix:
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False)
    listed = _listed(values)
    if any(isinstance(v, str) for v in listed):
        raise TypeError("text")
    return np.array([math.nan if v is None else float(v) for v in listed], dtype=np.float64)
