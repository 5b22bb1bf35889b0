"""Bodies that are exactly as the contract says, read by a decoder made for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec.structs import astuple

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError
from gleis.serving.carried import read_moment
from gleis.serving.ranges import Ranges
from gleis.serving.rows import Rows

_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_KINDS: dict[str, Any] = {"number": float, "integer": _INT64, "category": str, "boolean": bool}
_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidRowError)

Typed = Any
"""An object of the type that a ``TypedReader`` made for its contract."""
_T = TypeVar("_T")


class TypedReader:
    """Reads bodies straight into the contract's types; gives up on whatever is unusual.

    What it gives up on, ``RowReader`` reads: it takes more forms, and says what is wrong. Where
    both read a body they find the same rows.

    Parameters
    ----------
    contract : Contract
    max_rows : int
        Rows in one body.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression",
    ...     features=(Column(name="distance", kind="number", low=80, high=5000),),
    ...     target="delay",
    ... )
    >>> reader = TypedReader(contract, max_rows=10)
    >>> row = reader.one(b'{"distance": 9000}')
    >>> reader.rows([row]).flags
    {'distance: out of range': [0]}
    >>> reader.one(b'{"distance": "far"}') is None
    True
    """

    def __init__(self, contract: Contract, max_rows: int) -> None:
        self._names = contract.names
        self._ranges = Ranges(contract)
        self._max_rows = max_rows
        self._id = contract.id
        self._time = None if contract.time in contract.names else contract.time
        refusing = [self._ranges.limits.refusing(column) for column in contract.features]
        kind: Any = _make_type(contract, self._time, [limits for limits, _ in refusing])
        self._refused = tuple(
            (f"f{position}", fails)
            for position, (_, fails) in enumerate(refusing)
            if fails is not None
        )
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
        self._list: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[kind])
        wrapped = msgspec.defstruct("Wrapped", [("rows", list[kind])], forbid_unknown_fields=True)
        self._wrapped: msgspec.json.Decoder[Any] = msgspec.json.Decoder(wrapped)

    def one(self, body: bytes) -> Typed | None:
        """Read one object; None if it is not exactly as expected."""
        try:
            row = self._one.decode(body)
            if self._time is not None and row.time is not None:
                row.time = read_moment(row.time, self._time, "")
        except _WRONG:
            return None
        return None if self._refused and self._refuses(row) else row

    def many(self, body: bytes) -> list[Typed] | None:
        """Read a list, or an object that holds one under ``rows``; None if it is neither."""
        rows: list[Typed]
        try:
            if body.startswith(b"["):
                rows = self._list.decode(body)
            elif body.startswith(b'{"rows"'):
                rows = self._wrapped.decode(body).rows
            else:
                return None
            if not 0 < len(rows) <= self._max_rows:
                return None
            if self._time is not None:
                for row in rows:
                    if row.time is not None:
                        row.time = read_moment(row.time, self._time, "")
        except _WRONG:
            return None
        return None if self._refused and any(map(self._refuses, rows)) else rows

    def _refuses(self, row: Typed) -> bool:
        """Say whether a row fails a check by which rows are refused."""
        return any(fails(getattr(row, place)) for place, fails in self._refused)

    def rows(self, typed: Sequence[Typed]) -> Rows:
        """Turn objects into columns, (n_rows,) each, and note what is unusual."""
        count, size = len(typed), len(self._names)
        columns = list(zip(*map(astuple, typed), strict=True))
        features = {
            name: list(values) for name, values in zip(self._names, columns[:size], strict=True)
        }
        entities: list[str | None] = [None] * count
        times: list[datetime | None] = [None] * count
        rest = columns[size:]
        if self._id is not None:
            entities = [
                value if value is None or type(value) is str else str(value) for value in rest[0]
            ]
        if self._time is not None:
            times = list(rest[-1])
        numbers = self._ranges.numbers(features)
        return Rows(
            count=count,
            features=features,
            entities=entities,
            times=times,
            flags=self._ranges.flags(features, numbers),
            numbers=numbers,
        )


def _make_type(
    contract: Contract, time: str | None, limits: Sequence[dict[str, Any]]
) -> type[msgspec.Struct]:
    fields: list[Any] = [
        (f"f{position}", _kind(column, limits[position]))
        for position, column in enumerate(contract.features)
    ]
    names = {f"f{position}": name for position, name in enumerate(contract.names)}
    if contract.id is not None:
        fields.append(("id", str | int | float | None, None))
        names["id"] = contract.id
    if time is not None:
        fields.append(("time", str | None, None))
        names["time"] = time
    return msgspec.defstruct("TypedRow", fields, rename=names, forbid_unknown_fields=True, gc=False)


def _kind(column: Column, limits: dict[str, Any]) -> Any:
    kind = _KINDS[column.kind]
    if limits:
        kind = Annotated[kind, msgspec.Meta(**limits)]
    return kind | None if column.nullable else kind
