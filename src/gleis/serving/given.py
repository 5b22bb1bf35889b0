"""Fields of a request's one object, checked one by one."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from gleis.contracts.errors import InvalidRowError, MalformedError


def read_object(body: bytes, keys: Collection[str], shape: str) -> dict[str, Any]:
    """Read a body that is one object with known keys.

    Parameters
    ----------
    body : bytes
    keys : collection of str
        All there may be.
    shape : str
        What to send, a sentence.

    Raises
    ------
    MalformedError
        Empty, not JSON, or no object.
    InvalidRowError
        A key is unknown.
    """
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(
            f"The body is not JSON: {error}" if body else "The body is empty",
            seen=body[:60].decode("utf-8", "replace"),
            remedy=shape,
        ) from error
    if not isinstance(content, dict):
        raise MalformedError("The body is no object", seen=content, remedy=shape)
    for key in content:
        if key not in keys:
            raise InvalidRowError(
                f"{key} is no key of this request", seen=content[key], remedy=shape, field=key
            )
    return content


def read_text(
    given: Mapping[str, Any], name: str, longest: int, *, needed: bool = False, lines: bool = False
) -> str | None:
    """Return a text; None if it is not there, or null.

    Parameters
    ----------
    given : mapping
    name : str
    longest : int
        Characters.
    needed : bool
        Whether it must be there, and hold more than spaces.
    lines : bool
        Whether it may have line breaks and tabs; other control characters it may never have.

    Raises
    ------
    InvalidRowError
        It is no such text.
    """
    value = given.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or (needed and not value.strip()):
        raise InvalidRowError(
            f"{name} must be a text",
            seen=value,
            remedy=f"Send a text of at most {longest} characters.",
            field=name,
        )
    if len(value) > longest:
        raise InvalidRowError(
            f"{name} is too long",
            seen=f"{len(value)} characters",
            remedy=f"Send at most {longest}.",
            field=name,
        )
    allowed = "\n\r\t" if lines else ""
    for character in value:
        # Cc: control characters, which move a terminal's cursor; Cs: halves of a pair.
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in allowed:
            raise InvalidRowError(
                f"{name} holds a control character",
                seen=character,
                remedy="Leave it out.",
                field=name,
            )
    return value
