"""One feature's values: of the right type, finite, and what to flag."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from numbers import Integral, Real
from typing import Any

from gleis.contracts.contract import Column
from gleis.contracts.errors import InvalidRowError

_TYPES: dict[str, type] = {"number": float, "integer": int, "category": str, "boolean": bool}
_EXPECTED = {
    "number": "a finite number",
    "integer": "a whole number of at most 64 bits",
    "category": "a text",
    "boolean": "true or false",
}
_INT64 = 2**63
_NONE = type(None)


class Field:
    """Reads one feature's values.

    Parameters
    ----------
    column : Column
        Its kind, nullability, range and categories.

    Examples
    --------
    >>> flags = {}
    >>> Field(Column(name="carrier", kind="category", categories=("AA", "UA"))).read(
    ...     ["UA", "ZZ"], flags
    ... )
    ['UA', 'ZZ']
    >>> flags
    {'carrier: unseen category': [1]}
    """

    def __init__(self, column: Column) -> None:
        self.name = column.name
        self._column = column
        self._type = _TYPES[column.kind]
        self._numeric = column.kind in ("number", "integer")
        self._plain = frozenset((self._type, _NONE) if column.nullable else (self._type,))
        self._low = float("-inf") if column.low is None else column.low
        self._high = float("inf") if column.high is None else column.high
        self._known = None if column.categories is None else frozenset((*column.categories, None))

    def read(self, values: list[Any], flags: dict[str, list[int]]) -> list[Any]:
        """Check values and return them as the model wants them; note in ``flags`` what is unusual.

        Parameters
        ----------
        values : list, (n_rows,)
        flags : dict
            ``"name: out of range"`` or ``"name: unseen category"`` -> positions; added to.

        Raises
        ------
        InvalidRowError
            A value is null without leave, of another type or not finite.
        """
        types = set(map(type, values))
        if not types <= self._plain:
            values = self._convert(values)
            types.add(_NONE)
        if self._numeric:
            self._check_numbers(values, _NONE in types, flags)
        elif self._known is not None and not self._known.issuperset(values):
            flags[f"{self.name}: unseen category"] = [
                position for position, value in enumerate(values) if value not in self._known
            ]
        return values

    def _check_numbers(self, values: list[Any], sparse: bool, flags: dict[str, list[int]]) -> None:
        present = [value for value in values if value is not None] if sparse else values
        if not present:
            return
        if self._type is float and not all(map(isfinite, present)):
            self._refuse(values, isfinite)
        low, high = self._low, self._high
        smallest, largest = min(present), max(present)
        if self._type is int and (smallest < -_INT64 or largest >= _INT64):
            self._refuse(values, lambda value: -_INT64 <= value < _INT64)
        if smallest < low or largest > high:
            flags[f"{self.name}: out of range"] = [
                position
                for position, value in enumerate(values)
                if value is not None and not low <= value <= high
            ]

    def _convert(self, values: list[Any]) -> list[Any]:
        """Take what means the same: 3 for 3.0, 3.0 for 3, a subclass for its base."""
        total = len(values)
        return [self._one(value, position, total) for position, value in enumerate(values)]

    def _one(self, value: Any, position: int, total: int) -> Any:
        if value is None and self._column.nullable:
            return None
        kind, wanted = type(value), self._type
        if kind is wanted:
            return value
        try:
            if wanted is float and kind is not bool and isinstance(value, Real):
                return float(value)
            if wanted is int and kind is not bool and isinstance(value, Integral):
                return int(value)
            if wanted is int and isinstance(value, float) and value.is_integer():
                return int(value)
        except (OverflowError, ValueError):
            raise self._wrong(value, position, total) from None
        if wanted is str and isinstance(value, str):
            return str(value)
        raise self._wrong(value, position, total)

    def _refuse(self, values: list[Any], fits: Callable[[Any], bool]) -> None:
        """Refuse the first value that does not fit."""
        for position, value in enumerate(values):
            if value is not None and not fits(value):
                raise self._wrong(value, position, len(values))

    def _wrong(self, value: Any, position: int, total: int) -> InvalidRowError:
        column = self._column
        expected = _EXPECTED[column.kind] + (f" in {column.unit}" if column.unit else "")
        may_be_null = " or null" if column.nullable else ""
        trained = ""
        if column.categories:
            shown = ", ".join(column.categories[:8])
            trained = f"; training saw {shown}{', …' if len(column.categories) > 8 else ''}"
        elif column.low is not None and column.high is not None:
            trained = f"; training saw {column.low:g} to {column.high:g}"
        return InvalidRowError(
            f"{place(position, total)}{self.name} must be {expected}{may_be_null}",
            seen=value,
            remedy=f"Send {expected}{may_be_null}{trained}.",
            field=self.name,
        )


def place(position: int, total: int) -> str:
    """Name a row of a request; a lone one needs no name.

    Examples
    --------
    >>> place(3, 10), place(0, 1)
    ('rows[3]: ', '')
    """
    return f"rows[{position}]: " if total > 1 else ""
