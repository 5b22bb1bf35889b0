"""Thrift's compact protocol, as far as a parquet footer needs it: values in, the same bytes out.

References
----------
Apache Thrift, ``doc/specs/thrift-compact-protocol.md``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_INTEGERS = (_I16, _I32, _I64)


class Typed(NamedTuple):
    """A value and its type on the wire."""

    kind: int
    value: Any
    """bool, int, bytes, ``Items`` or ``Struct``."""


class Items(NamedTuple):
    """A list or set: elements of one type."""

    kind: int
    values: list[Any]


Struct = dict[int, Typed]
"""Field number -> value."""


def read_struct(content: bytes) -> Struct:
    r"""Decode a struct.

    Raises
    ------
    ValueError
        A type that is none, a map, or an end too early.

    Examples
    --------
    >>> read_struct(b"\x16\x08\x00")
    {1: Typed(kind=6, value=4)}
    """
    try:
        return _Reader(content).struct()
    except IndexError:
        raise ValueError("the struct ends too early") from None


def write_struct(struct: Struct) -> bytes:
    r"""Encode a struct; ``read_struct`` gives it back.

    Examples
    --------
    >>> write_struct({1: Typed(6, 4)})
    b'\x16\x08\x00'
    """
    out = bytearray()
    _write_struct(out, struct)
    return bytes(out)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def struct(self) -> Struct:
        found: Struct = {}
        number = 0
        while (head := self._byte()) != 0:
            kind = head & 0x0F
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            # A truth value in a struct is its type; there is no byte behind it.
            value = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)
            found[number] = Typed(kind, value)
        return found

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return self._byte() == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _BINARY:
            return self._take(self._varint())
        if kind in (_LIST, _SET):
            return self._items()
        if kind == _STRUCT:
            return self.struct()
        raise ValueError(f"type {kind} is not one of a parquet footer")

    def _items(self) -> Items:
        head = self._byte()
        kind, count = head & 0x0F, head >> 4
        if count == 15:
            count = self._varint()
        return Items(kind, [self._value(kind) for _ in range(count)])

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _take(self, count: int) -> bytes:
        start, self._at = self._at, self._at + count
        if self._at > len(self._content):
            raise IndexError
        return self._content[start : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def _write_struct(out: bytearray, struct: Struct) -> None:
    before = 0
    for number, (stated, value) in sorted(struct.items()):
        # A truth value in a struct is its type; there is no byte behind it.
        kind = 2 - bool(value) if stated in (_TRUE, _FALSE) else stated
        if 0 < number - before < 16:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _write_zigzag(out, number)
        before = number
        if kind not in (_TRUE, _FALSE):
            _write_value(out, kind, value)
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in (_TRUE, _FALSE):
        out.append(_TRUE if value else _FALSE)
    elif kind == _BYTE:
        out.append(value)
    elif kind in _INTEGERS:
        _write_zigzag(out, value)
    elif kind == _DOUBLE:
        out += value
    elif kind == _BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind in (_LIST, _SET):
        _write_items(out, value)
    else:
        _write_struct(out, value)


def _write_items(out: bytearray, items: Items) -> None:
    count = len(items.values)
    out.append(min(count, 15) << 4 | items.kind)
    if count >= 15:
        _write_varint(out, count)
    for value in items.values:
        _write_value(out, items.kind, value)


def _write_varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_zigzag(out: bytearray, value: int) -> None:
    _write_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
