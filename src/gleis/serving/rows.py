"""Rows of a request, checked against the contract and turned into columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from gleis.contracts.contract import Contract
from gleis.contracts.errors import InvalidRowError, MalformedError, TooLargeError
from gleis.serving.carried import read_entity, read_moment
from gleis.serving.fields import Field, place
from gleis.serving.limits import Limits
from gleis.serving.renamed import guess_rename

if TYPE_CHECKING:
    from numpy.typing import NDArray

Row = Mapping[str, Any]
_Value = TypeVar("_Value")


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Checked rows by column; every list is ``count`` long."""

    count: int
    features: dict[str, list[Any]]
    entities: list[str | None]
    times: list[datetime | None]
    flags: dict[str, list[int]]
    """What is served but worth counting: ``"distance: out of range"`` -> positions."""
    numbers: NDArray[np.float64] | None = None
    """(n_numeric, count), made once for all who calculate; see ``Ranges.numbers``."""

    def take(self, positions: Sequence[int]) -> Rows:
        """Return the rows at ``positions``, which are increasing, in this order."""
        new = {old: position for position, old in enumerate(positions)}
        flags = {
            flag: kept
            for flag, old in self.flags.items()
            if (kept := [new[position] for position in old if position in new])
        }
        return Rows(
            count=len(positions),
            features={name: _take(values, positions) for name, values in self.features.items()},
            entities=_take(self.entities, positions),
            times=_take(self.times, positions),
            flags=flags,
            numbers=None if self.numbers is None else self.numbers[:, positions],
        )


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all parts, one part after the other; at least one part."""
    if len(parts) == 1:
        return parts[0]
    flags: dict[str, list[int]] = {}
    offset = 0
    numbers = [part.numbers for part in parts if part.numbers is not None]
    for part in parts:
        for flag, positions in part.flags.items():
            flags.setdefault(flag, []).extend(offset + position for position in positions)
        offset += part.count
    return Rows(
        count=offset,
        features={
            name: [value for part in parts for value in part.features[name]]
            for name in parts[0].features
        },
        entities=[entity for part in parts for entity in part.entities],
        times=[time for part in parts for time in part.times],
        flags=flags,
        numbers=np.concatenate(numbers, axis=1) if len(numbers) == len(parts) else None,
    )


class RowReader:
    """Turns rows by feature name into the columns a model wants, or says what is wrong.

    A value outside the range or the categories that training saw is served and flagged. A
    feature that is missing, unknown, null without leave or of another type is refused: a boolean
    is no number, a text is no number, NaN and infinity are not values.

    Parameters
    ----------
    contract : Contract
    max_rows : int
        Rows in one request; more are refused.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression",
    ...     features=(Column(name="distance", kind="number", low=80, high=5000),),
    ...     target="delay",
    ...     id="flight",
    ... )
    >>> rows = RowReader(contract, max_rows=10).read([{"distance": 9000, "flight": 7}])
    >>> rows.features, rows.entities, rows.flags
    ({'distance': [9000.0]}, ['7'], {'distance: out of range': [0]})
    """

    def __init__(self, contract: Contract, max_rows: int) -> None:
        self._max_rows = max_rows
        self._fields = tuple(Field(column) for column in contract.features)
        self._names = contract.names
        self._limits = Limits(contract)
        self._id = contract.id
        self._time = None if contract.time in contract.names else contract.time
        self._carried = tuple(
            name for name in (contract.id, contract.time) if name and name not in contract.names
        )

    def read(self, rows: Sequence[Row]) -> Rows:
        """Check rows and turn them into columns.

        Parameters
        ----------
        rows : sequence of mapping, (n_rows,)
            Feature name to value; the id and time columns may come along.

        Raises
        ------
        MalformedError
            There is no row.
        TooLargeError
            There are more than ``max_rows``.
        InvalidRowError
            A field breaks the contract, or a check by which rows are refused; names the row's
            position, the field, the value seen and what is expected.
        """
        count = len(rows)
        if not 0 < count <= self._max_rows:
            raise self._wrong_count(count)
        try:
            columns = [[row[name] for row in rows] for name in self._names]
        except (KeyError, TypeError, IndexError):
            raise self._wrong_shape(rows) from None
        self._refuse_unknown(rows)
        flags: dict[str, list[int]] = {}
        features = {
            field.name: field.read(values, flags)
            for field, values in zip(self._fields, columns, strict=True)
        }
        if self._limits:
            self._limits.require(features)
            self._limits.add(features, flags)
        return Rows(
            count=count,
            features=features,
            entities=_optional(rows, self._id, read_entity),
            times=_optional(rows, self._time, read_moment),
            flags=flags,
        )

    def _wrong_count(self, count: int) -> MalformedError | TooLargeError:
        if not count:
            return MalformedError("There is no row to predict", remedy="Send at least one row.")
        return TooLargeError(
            "There are too many rows in one request",
            seen=count,
            remedy=f"Send at most {self._max_rows} at a time, or raise serve.max_rows.",
            field="rows",
        )

    def _refuse_unknown(self, rows: Sequence[Row]) -> None:
        """Refuse extra fields; all features are known to be there, so counting is enough."""
        size = len(self._names)
        carried = self._carried
        for position, row in enumerate(rows):
            if len(row) != size and len(row) != size + sum(name in row for name in carried):
                raise self._unknown(row, place(position, len(rows)))

    def _unknown(self, row: Row, where: str) -> InvalidRowError:
        extra = self._extra(row)
        return InvalidRowError(
            f"{where}{extra[0]} is not a feature of this model",
            seen=row[extra[0]],
            remedy=f"Leave it out; the features are {', '.join(self._names)}.",
            field=extra[0],
        )

    def _extra(self, row: Row) -> list[str]:
        known = {*self._names, *self._carried}
        return [name for name in row if name not in known]

    def _wrong_shape(self, rows: Sequence[Any]) -> InvalidRowError:
        """Find the row that is no object or lacks a feature."""
        for position, row in enumerate(rows):
            where = place(position, len(rows))
            if not isinstance(row, Mapping):
                return InvalidRowError(
                    f"{where}a row is an object of feature names and values",
                    seen=row,
                    remedy=f"Send {{{', '.join(self._names)}}}.",
                )
            if missing := [name for name in self._names if name not in row]:
                extra = self._extra(row)
                found = f" (unknown here: {', '.join(map(str, extra))})" if extra else ""
                return InvalidRowError(
                    f"{where}{missing[0]} is missing{found}",
                    remedy=f"{guess_rename(missing, extra)}Send every feature; "
                    f"missing: {', '.join(missing)}.",
                    field=missing[0],
                )
        raise AssertionError("every row holds every feature")  # pragma: no cover


def _take(values: list[_Value], positions: Sequence[int]) -> list[_Value]:
    return [values[position] for position in positions]


def _optional(
    rows: Sequence[Row], name: str | None, read: Callable[[Any, str, str], _Value]
) -> list[_Value | None]:
    """Read a column that rows may leave out or null."""
    if name is None:
        return [None] * len(rows)
    total = len(rows)
    return [
        None if (value := row.get(name)) is None else read(value, name, place(position, total))
        for position, row in enumerate(rows)
    ]
