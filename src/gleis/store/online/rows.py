"""Rows of an online store as bytes and back: msgpack, about 10 bytes a feature."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gleis.contracts.errors import StoreError
from gleis.contracts.features import KnownRow

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(KnownRow)


def encode_row(row: KnownRow) -> bytes:
    """Return a row as bytes; equal rows are equal bytes.

    Examples
    --------
    >>> decode_row(encode_row(KnownRow(7, 8, (1.5, None, "N")))).values
    (1.5, None, 'N')
    """
    return _encoder.encode(row)


def decode_row(body: bytes) -> KnownRow:
    """Return a row from its bytes.

    Raises
    ------
    StoreError
        They are no row.
    """
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"A row of the online store cannot be read: {error}",
            remedy="Write it anew: gleis features materialise --anew.",
        ) from error


def decode_rows(bodies: Iterable[bytes | None]) -> list[KnownRow | None]:
    """Return rows from their bytes; None stays None."""
    decode = decode_row
    return [None if body is None else decode(body) for body in bodies]
