"""One feature's values as an array: checked at once, by the rules and in the words of ``Field``."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Column
from gleis.contracts.errors import InvalidRowError
from gleis.packaging.coded import Coded
from gleis.serving.fields import Field

_EXACT = 2.0**53
"""Whole numbers beyond it are not exact as floats."""
_INT64 = 2.0**63
_NOWHERE: NDArray[np.intp] = np.empty(0, dtype=np.intp)


class Array(NamedTuple):
    """One feature's values, (n_rows,), and where they are unusual."""

    values: Any
    """As models take them: float64 with NaN for missing, int64, bool, ``Coded`` or a list."""
    wrong: NDArray[np.intp]
    """Positions, increasing, of values that break the contract."""
    flagged: NDArray[np.intp]
    """Positions, increasing, of values that are served and counted."""


class ArrayField:
    """Reads one feature's values from a list, a NumPy array or an Arrow array.

    A table's NaN is a missing value, as null is: tables of numbers often know no other.

    Parameters
    ----------
    column : Column

    Examples
    --------
    >>> field = ArrayField(Column(name="distance", kind="number", low=80, high=5000))
    >>> read = field.read(np.array([800.0, 9000.0, np.nan]))
    >>> read.flagged.tolist(), read.wrong.tolist()
    ([1], [2])
    >>> print(field.error(None))
    distance must be a finite number: None. Send a finite number; training saw 80 to 5000.
    """

    def __init__(self, column: Column) -> None:
        self.name = column.name
        self.column = column
        self._field = Field(column)
        numeric = column.kind in ("number", "integer")
        self.flag = f"{column.name}: {'out of range' if numeric else 'unseen category'}"
        """What flagged values are called."""
        self._low = -np.inf if column.low is None else column.low
        self._high = np.inf if column.high is None else column.high
        self._known = None if column.categories is None else frozenset(column.categories)

    def read(self, values: Any) -> Array:
        """Check values, (n_rows,).

        Parameters
        ----------
        values : list, ndarray, pyarrow Array or ChunkedArray
        """
        if type(values).__module__.startswith("pyarrow"):
            return self._read_arrow(values)
        if isinstance(values, np.ndarray):
            return self._read_numpy(values)
        return self._read_list(values)

    def error(self, value: Any) -> InvalidRowError | None:
        """Return what is wrong with a value; None if nothing is."""
        try:
            self._field.read([None if _is_nan(value) else value], {})
        except InvalidRowError as error:
            return error
        return None

    def _read_list(self, values: Sequence[Any]) -> Array:
        listed = [None if _is_nan(value) else value for value in values]
        flags: dict[str, list[int]] = {}
        try:
            read = self._field.read(listed, flags)
        except InvalidRowError:
            return self._read_each(listed)
        return Array(read, _NOWHERE, np.asarray(flags.get(self.flag, ()), dtype=np.intp))

    def _read_each(self, values: list[Any]) -> Array:
        """Read value by value; those that are wrong become None."""
        read: list[Any] = []
        wrong, flagged = [], []
        for position, value in enumerate(values):
            flags: dict[str, list[int]] = {}
            try:
                read += self._field.read([value], flags)
            except InvalidRowError:
                read.append(None)
                wrong.append(position)
            if flags:
                flagged.append(position)
        return Array(read, np.asarray(wrong, np.intp), np.asarray(flagged, np.intp))

    def _read_numpy(self, values: NDArray[Any]) -> Array:
        kind, wanted = values.dtype.kind, self.column.kind
        if values.ndim == 1 and values.dtype.itemsize <= 8:
            if wanted == "number" and kind in "fiu":
                return self._check_floats(np.asarray(values, dtype=np.float64))
            if wanted == "integer" and kind in "iu":
                return self._check_integers(values)
            if wanted == "integer" and kind == "f":
                return self._check_whole(np.asarray(values, dtype=np.float64))
            if wanted == "boolean" and kind == "b":
                return Array(values, _NOWHERE, _NOWHERE)
        return self._read_list(values.tolist())

    def _check_floats(self, values: NDArray[np.float64]) -> Array:
        finite = np.isfinite(values)
        if finite.all():
            return Array(values, _NOWHERE, self._outside(values))
        missing = np.isnan(values)
        wrong = ~finite & ~missing if self.column.nullable else ~finite
        return Array(values, np.flatnonzero(wrong), self._outside(values))

    def _check_integers(self, values: NDArray[Any]) -> Array:
        wrong = _NOWHERE
        if values.dtype == np.uint64:
            wrong = np.flatnonzero(values >= np.uint64(2**63))
        return Array(values.astype(np.int64, copy=False), wrong, self._outside(values))

    def _check_whole(self, values: NDArray[np.float64]) -> Array:
        """Whole numbers that came as floats, where NaN says missing."""
        missing = np.isnan(values)
        wrong = ~missing & ((values != np.floor(values)) | (values >= _INT64) | (values < -_INT64))
        if not self.column.nullable:
            wrong |= missing
        positions = np.flatnonzero(wrong)
        outside = self._outside(values)
        if not len(positions) and not missing.any():
            return Array(values.astype(np.int64), positions, outside)
        return Array(values, positions, outside)

    def _outside(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Return where values lie outside what training saw; NaN lies nowhere."""
        return np.flatnonzero((values < self._low) | (values > self._high))

    def _read_arrow(self, values: Any) -> Array:
        import pyarrow as pa
        import pyarrow.types as kinds

        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        kind, wanted = values.type, self.column.kind
        if wanted == "category":
            if kinds.is_dictionary(kind) and _is_text(kind.value_type):
                return self._read_codes(values)
            if _is_text(kind):
                return self._read_codes(values.dictionary_encode())
        elif wanted == "number" and kinds.is_decimal(kind):
            return self._check_floats(values.cast(pa.float64()).to_numpy(zero_copy_only=False))
        elif _as_numpy(values):
            return self._read_numpy(values.to_numpy(zero_copy_only=False))
        return self._read_list(values.to_pylist())

    def _read_codes(self, values: Any) -> Array:
        """Text coded by a dictionary: each distinct value is looked at once."""
        texts = [*values.dictionary.to_pylist(), None]
        codes = values.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
        void = np.array([text is None for text in texts])
        known = self._known
        new = np.array([text is not None and known is not None and text not in known
                        for text in texts])  # fmt: skip
        wrong = _NOWHERE if self.column.nullable else np.flatnonzero(void[codes])
        flagged = np.flatnonzero(new[codes]) if new.any() else _NOWHERE
        return Array(Coded(texts, codes), wrong, flagged)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and isnan(value)


def _is_text(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _as_numpy(values: Any) -> bool:
    """Say whether NumPy holds the same values: it has no null, and floats are not exact."""
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if kinds.is_floating(values.type):
        return True
    if kinds.is_boolean(values.type):
        return not values.null_count
    if not kinds.is_integer(values.type):
        return False
    if not values.null_count or values.type.bit_width < 64 or values.null_count == len(values):
        return True
    ends = pc.min_max(values).as_py()
    return bool(ends["min"] >= -_EXACT and ends["max"] <= _EXACT)
