"""Text of a CSV file as the values that a feature's kind asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from gleis.contracts.contract import Kind

TYPES = {
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "category": pa.string(),
}
"""Kind -> type of its values."""
_MISSING = frozenset({"", "na", "nan", "null", "none"})
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def read_text(texts: pa.ChunkedArray, kind: Kind) -> Any:
    """Return values of ``kind``; a text that is none stays text, to be refused by the contract.

    An empty text, and of numbers and truth values also ``NA``, ``NaN``, ``null`` and ``None``,
    is a missing value.

    Parameters
    ----------
    texts : ChunkedArray of string, (n_rows,)
    kind : Kind

    Returns
    -------
    ChunkedArray or list, (n_rows,)

    Examples
    --------
    >>> read_text(pa.chunked_array([["1.5", None, "far"]]), "number")
    [1.5, None, 'far']
    """
    if kind == "category":
        return texts
    try:
        return texts.cast(TYPES[kind])
    except pa.ArrowInvalid:
        return [_read_one(text, kind) for text in texts.to_pylist()]


def _read_one(text: str | None, kind: Kind) -> Any:
    plain = "" if text is None else text.strip().lower()
    if plain in _MISSING:
        return None
    if kind == "boolean":
        return _TRUTH.get(plain, text)
    for number in _numbers(kind):
        try:
            return number(plain)
        except ValueError:
            continue
    return text


def _numbers(kind: Kind) -> Sequence[Any]:
    return (int, float) if kind == "integer" else (float,)
