"""Compressed bodies: inflated up to the limit and not a byte further."""

from __future__ import annotations

import zlib

from gleis.contracts.errors import MalformedError, TooLargeError

_ANY_HEADER = 32 + zlib.MAX_WBITS
"""gzip or zlib, as the first bytes say."""
_KNOWN = ("gzip", "x-gzip", "deflate")


def inflate(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Undo a ``Content-Encoding``.

    Parameters
    ----------
    body : bytes
        As it came.
    encoding : bytes
        The header's value: ``gzip``, ``deflate`` (zlib, or bare as some clients send it) or
        ``identity``.
    limit : int
        Bytes of the result; a bomb is refused when it passes them, not after.

    Raises
    ------
    MalformedError
        Another encoding, or the body is damaged or cut off.
    TooLargeError
        The result is over the limit.

    Examples
    --------
    >>> inflate(zlib.compress(b"{}"), b"deflate", 10)
    b'{}'
    """
    name = encoding.decode("latin-1").strip().lower()
    if name in ("", "identity"):
        return body
    if name not in _KNOWN:
        raise MalformedError(
            "The body is encoded in a way this service does not read",
            seen=name,
            remedy="Send it as it is, or with Content-Encoding gzip or deflate.",
            field="content-encoding",
        )
    try:
        return _inflate(body, _ANY_HEADER, limit)
    except zlib.error as error:
        if name != "deflate":
            raise _damaged(name, error) from error
    try:
        return _inflate(body, -zlib.MAX_WBITS, limit)
    except zlib.error as error:
        raise _damaged(name, error) from error


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    """Inflate one stream, or the members of a gzip file one after another."""
    parts: list[bytes] = []
    left = limit + 1
    while body:
        stream = zlib.decompressobj(window)
        parts.append(stream.decompress(body, left))
        left -= len(parts[-1])
        if left <= 0:
            raise TooLargeError(
                "The body is too large once it is inflated",
                seen=f"more than {limit} bytes",
                remedy="Send less at a time, or raise serve.max_body_mb.",
                field="body",
            )
        if not stream.eof:
            raise zlib.error("it ends too early")
        body = stream.unused_data
    return b"".join(parts)


def _damaged(name: str, error: zlib.error) -> MalformedError:
    return MalformedError(
        f"The body is not {name}: {error}",
        remedy="Send it whole, or without Content-Encoding.",
        field="body",
    )
