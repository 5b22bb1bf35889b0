"""Request bodies: bytes from the network, then JSON, then one item or many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from gleis.contracts.errors import MalformedError, TooLargeError

Receive = Callable[[], Awaitable[Any]]


class ClientGoneError(Exception):
    """The client left before its request was complete; there is nobody to answer."""


async def read_body(headers: Iterable[tuple[bytes, bytes]], receive: Receive, limit: int) -> bytes:
    """Read a body of at most ``limit`` bytes.

    Raises
    ------
    TooLargeError
        As soon as the declared or the received length is over the limit.
    ClientGoneError
        The client left.
    """
    for name, value in headers:
        if name == b"content-length" and int(value) > limit:
            raise _too_large(int(value), limit)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGoneError
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        more = event.get("more_body", False)
        if size > limit:
            raise _too_large(size, limit)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def read_items(body: bytes, key: str) -> tuple[list[Any], bool]:
    """Read one object, a list of them, or an object that holds such a list under ``key``.

    Returns
    -------
    items : list
        Not checked yet.
    single : bool
        True if the body was one object.

    Raises
    ------
    MalformedError
        Empty, not JSON, or of another shape.

    Examples
    --------
    >>> read_items(b'{"distance": 80}', "rows")
    ([{'distance': 80}], True)
    >>> read_items(b'{"rows": [{"distance": 80}]}', "rows")
    ([{'distance': 80}], False)
    """
    if not body:
        raise MalformedError("The body is empty", remedy="Send JSON: one object, or a list.")
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(
            f"The body is not JSON: {error}",
            seen=body[:60].decode("utf-8", "replace"),
            remedy="Mend it; JSON knows no NaN, no comments and no single quotes.",
        ) from error
    if isinstance(content, list):
        return content, False
    if not isinstance(content, dict):
        raise MalformedError(
            "The body is neither an object nor a list",
            seen=content,
            remedy=f'Send one object, a list of them, or {{"{key}": [...]}}.',
        )
    if key not in content:
        return [content], True
    many = content[key]
    if isinstance(many, list) and len(content) == 1:
        return many, False
    if isinstance(many, list) or len(content) == 1:
        raise MalformedError(
            f"{key} is a list, alone in the body",
            seen=content,
            remedy=f'Send {{"{key}": [...]}} and nothing else.',
            field=key,
        )
    return [content], True


def _too_large(size: int, limit: int) -> TooLargeError:
    return TooLargeError(
        "The body is too large",
        seen=size,
        remedy=f"Send at most {limit} bytes, in several requests, or raise serve.max_body_mb.",
        field="body",
    )
