"""From columns as they come to one matrix of numbers: words become codes, once."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import DataError
from gleis.contracts.ports import Columns
from gleis.packaging.coded import Coded
from gleis.packaging.compiled.form import Input

_NAN = math.nan


class Codes(dict[Any, float]):
    """A word's code, NaN for a missing value, -1 for a word that training never saw."""

    def __missing__(self, word: Any) -> float:
        """Called for what is no known word; says what it is instead."""
        if isinstance(word, str):
            return -1.0
        if isinstance(word, float) and math.isnan(word):
            return _NAN
        raise TypeError(f"{word!r} is not a word")


class _Flags(Codes):
    def __missing__(self, word: Any) -> float:
        if isinstance(word, float) and math.isnan(word):
            return _NAN
        raise TypeError(f"{word!r} is not a boolean")


class Inputs:
    """Reads rows for a compiled model.

    Parameters
    ----------
    inputs : sequence of Input
        In the order of the matrix's columns.

    Examples
    --------
    >>> reader = Inputs([Input(name="shop", kind="category", words=("a", "b"))])
    >>> reader.matrix({"shop": ["b", None, "z"]}).ravel()
    array([ 1., nan, -1.])
    """

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.inputs = tuple(inputs)
        self.codes: dict[str, Codes] = {i.name: _codes(i) for i in inputs if i.kind in _CODED}
        """Feature -> what its values become, of categories and booleans."""
        self._readers: list[tuple[str, Callable[[Any], Any]]] = [
            (i.name, self.codes[i.name].__getitem__ if i.kind in _CODED else _READ[i.kind])
            for i in inputs
        ]
        self._pack = struct.Struct(f"{len(self.inputs)}d").pack

    def row(self, columns: Columns) -> bytes:
        """Return the only row of ``columns`` as native doubles.

        Raises
        ------
        DataError
            If a feature is absent or of another kind.
        """
        try:
            return self._pack(*[read(columns[name][0]) for name, read in self._readers])
        except (TypeError, ValueError, KeyError, OverflowError, struct.error):
            return self.matrix(columns).tobytes()

    def one(self, columns: Columns) -> NDArray[np.float64]:
        """Return the only row of ``columns`` as ``matrix`` does, (1, n_inputs), read-only."""
        return np.frombuffer(self.row(columns)).reshape(1, -1)

    def beside(self, kinds: Mapping[str, str]) -> Beside | None:
        """Return what reads rows whose numbers are a matrix already.

        Parameters
        ----------
        kinds : mapping of str to str
            Name and kind of each line of that matrix, in its order; all were checked to be of it.

        Returns
        -------
        Beside or None
            None if a number of the model is not among them.
        """
        numeric = [item for item in self.inputs if item.kind != "category"]
        if any(kinds.get(item.name) != item.kind for item in numeric):
            return None
        return Beside(self, list(kinds))

    def matrix(self, columns: Columns) -> NDArray[np.float64]:
        """Return the rows as numbers.

        Parameters
        ----------
        columns : mapping of str to sequence, each (n_rows,)
            Lists, arrays or polars Series; None or NaN marks a missing value.

        Returns
        -------
        ndarray of float64, (n_rows, n_inputs)
            NaN where missing; a category is the place of its word, -1 for an unseen one; a
            boolean is 0 or 1.

        Raises
        ------
        DataError
            If a feature is absent or of another kind, or columns differ in length.
        """
        out: NDArray[np.float64] | None = None
        for j, item in enumerate(self.inputs):
            numbers = self._column(item, columns)
            if out is None:
                out = np.empty((len(numbers), len(self.inputs)))
            if len(numbers) != len(out):
                raise DataError(
                    f"{item.name} has {len(numbers)} values, and others have {len(out)}",
                    remedy="Give columns of one length.",
                    field=item.name,
                )
            out[:, j] = numbers
        return np.empty((0, 0)) if out is None else out

    def _column(self, item: Input, columns: Columns) -> Any:
        if item.name not in columns:
            raise DataError(
                "A feature is missing",
                seen=item.name,
                remedy="Give its values, None where one is unknown.",
                field=item.name,
            )
        try:
            values = columns[item.name]
            if item.kind in _CODED:
                return _coded(values, self.codes[item.name])
            numbers = _numbers(values)
            if item.kind == "integer" and not _whole(numbers):
                raise ValueError("not whole numbers")
            return numbers
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"{item.name} is not of kind {item.kind}: {error}",
                remedy="Give values of that kind, and None where one is missing.",
                field=item.name,
            ) from error


class Beside:
    """Reads checked rows for a compiled model where their numbers are a matrix already.

    Parameters
    ----------
    inputs : Inputs
    names : sequence of str
        Of the lines of that matrix; every input that is no category is among them.

    Examples
    --------
    >>> kinds = {"size": "number"}
    >>> shop = Input(name="shop", kind="category", words=("a", "b"))
    >>> inputs = Inputs([shop, Input(name="size", kind="number")])
    >>> inputs.beside(kinds).matrix({"shop": ["b", None]}, np.array([[7.0, 8.0]]))
    array([[ 1.,  7.],
           [nan,  8.]])
    """

    def __init__(self, inputs: Inputs, names: Sequence[str]) -> None:
        places = {name: place for place, name in enumerate(names)}
        self._width = len(inputs.inputs)
        self._words = [
            (j, item.name, inputs.codes[item.name].__getitem__)
            for j, item in enumerate(inputs.inputs)
            if item.kind == "category"
        ]
        self._spans = _spans(
            [
                (j, places[item.name])
                for j, item in enumerate(inputs.inputs)
                if item.kind != "category"
            ]
        )

    def matrix(self, columns: Columns, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rows as ``Inputs.matrix`` does, (n_rows, n_inputs).

        Parameters
        ----------
        columns : mapping of str to list, each (n_rows,)
            At least the categories.
        numbers : ndarray of float64, (n_names, n_rows)
            NaN is missing; booleans are 0 and 1.
        """
        out = np.empty((numbers.shape[1], self._width))
        for there, here in self._spans:
            out[:, there] = numbers[here].T
        for j, name, code in self._words:
            out[:, j] = array("d", map(code, columns[name]))
        return out


def _spans(pairs: Sequence[tuple[int, int]]) -> list[tuple[slice, slice]]:
    """Return runs of neighbours on both sides as pairs of slices: one copy each."""
    found: list[tuple[slice, slice]] = []
    for there, here in pairs:
        if found and (found[-1][0].stop, found[-1][1].stop) == (there, here):
            first, second = found[-1]
            found[-1] = (slice(first.start, there + 1), slice(second.start, here + 1))
        else:
            found.append((slice(there, there + 1), slice(here, here + 1)))
    return found


_CODED = ("category", "boolean")


def _codes(item: Input) -> Codes:
    if item.kind == "boolean":
        return _Flags({None: _NAN, False: 0.0, True: 1.0})
    known: dict[Any, float] = {None: _NAN}
    return Codes(known | {word: float(code) for code, word in enumerate(item.words)})


def _number(value: Any) -> Any:
    return _NAN if value is None else value


def _integer(value: Any) -> Any:
    if value is None:
        return _NAN
    if isinstance(value, float) and not (value.is_integer() or math.isnan(value)):
        raise ValueError("not a whole number")
    return value


_READ: dict[str, Callable[[Any], Any]] = {"number": _number, "integer": _integer}


def _coded(values: Any, codes: Codes) -> Any:
    if isinstance(values, Coded):
        return values.look_up(codes.__getitem__)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        if isinstance(codes, _Flags) and values.dtype.kind == "b":
            return values.astype(np.float64)
        values = values.tolist()
    elif not isinstance(values, list | tuple):
        values = _listed(values)
    return np.frombuffer(array("d", map(codes.__getitem__, values)), dtype=np.float64)


def _numbers(values: Any) -> NDArray[np.float64]:
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "fiub":
            return values.astype(np.float64, copy=False)
        values = values.tolist()
    try:
        # Unlike numpy, it refuses text that looks like a number.
        return np.frombuffer(array("d", values), dtype=np.float64)
    except TypeError:
        return np.frombuffer(array("d", map(_number, values)), dtype=np.float64)


def _listed(values: Any) -> list[Any]:
    to_list = getattr(values, "tolist", None) or getattr(values, "to_list", None)
    listed: list[Any] = to_list() if to_list is not None else [*values]
    return listed


def _whole(numbers: NDArray[np.float64]) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(((numbers == np.rint(numbers)) | np.isnan(numbers)).all())
