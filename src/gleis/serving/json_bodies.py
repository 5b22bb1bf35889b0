"""JSON of protocols whose own clients write NaN, which JSON does not know."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from gleis.contracts.errors import MalformedError


def read_json(body: bytes) -> Any:
    """Decode JSON; a bare ``NaN`` is taken for null.

    Python's ``json`` and rapidjson, with which MLflow's and Triton's clients write, put NaN where
    a value is missing.

    Raises
    ------
    MalformedError
        Empty, or not JSON.

    Examples
    --------
    >>> read_json(b'{"data": [1.5, NaN]}')
    {'data': [1.5, None]}
    """
    if not body:
        raise MalformedError("The body is empty", remedy="Send JSON.")
    try:
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            if b"NaN" not in body and b"Infinity" not in body:
                raise
            return json.loads(body, parse_constant=_constant)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedError(
            f"The body is not JSON: {error}",
            seen=body[:60].decode("utf-8", "replace"),
            remedy="Mend it; JSON knows no comments and no single quotes.",
        ) from error


def _constant(text: str) -> float | None:
    return None if text == "NaN" else float(text)
