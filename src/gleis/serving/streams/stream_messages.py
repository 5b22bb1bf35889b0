"""A message of a stream: a row in, an answer or a reason out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.errors import RequestError
from gleis.serving.rows import Row, RowReader

_rows = msgspec.json.Decoder(dict[str, Any])


class Message(NamedTuple):
    """One message as it was received."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> str:
        """``topic/partition/offset``, which no other message has."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Bad(NamedTuple):
    """A message that cannot be answered."""

    message: Message
    reason: str


class Sorted(NamedTuple):
    """Messages told apart; ``rows`` belong to ``good``, one to each."""

    good: list[Message]
    rows: list[Row]
    bad: list[Bad]


class MessageReader:
    """Tells messages that hold a row of the contract from those that do not.

    Parameters
    ----------
    contract : Contract
    read : callable, optional
        Checks rows in the contract's place: of a service that completes them.

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression", features=(Column(name="hour", kind="integer"),), target="delay"
    ... )
    >>> found = MessageReader(contract).sort(
    ...     [Message("in", 0, 7, None, b'{"hour": 17}'), Message("in", 0, 8, None, b"{}")]
    ... )
    >>> found.rows, found.bad[0].reason
    ([{'hour': 17}], 'hour is missing. Send every feature; missing: hour.')
    """

    def __init__(
        self, contract: Contract, read: Callable[[Sequence[Row]], object] | None = None
    ) -> None:
        self._contract = contract
        self._read = read

    def sort(self, messages: Sequence[Message]) -> Sorted:
        """Read messages; the order within good and bad ones stays."""
        found = Sorted([], [], [])
        for message in messages:
            row = _decode(message)
            if isinstance(row, Bad):
                found.bad.append(row)
            else:
                found.good.append(message)
                found.rows.append(row)
        return found if self._fit(found.rows) else self._sort_rows(found)

    def _fit(self, rows: Sequence[Row]) -> bool:
        try:
            self._check(rows)
        except RequestError:
            return not rows
        return True

    def _sort_rows(self, decoded: Sorted) -> Sorted:
        """Look at rows one by one: some break the contract."""
        found = Sorted([], [], list(decoded.bad))
        for message, row in zip(decoded.good, decoded.rows, strict=True):
            try:
                self._check([row])
            except RequestError as error:
                found.bad.append(Bad(message, str(error)))
            else:
                found.good.append(message)
                found.rows.append(row)
        found.bad.sort(key=lambda bad: bad.message[:3])
        return found

    def _check(self, rows: Sequence[Row]) -> None:
        read = self._read or RowReader(self._contract, max(len(rows), 1)).read
        read(rows)


def _decode(message: Message) -> Row | Bad:
    if message.value is None:
        return Bad(message, "The message has no value")
    try:
        return _rows.decode(message.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Bad(message, f"This is not a JSON object of feature names and values: {error}")
