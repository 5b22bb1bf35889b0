"""Prediction ids: ``seq-position-token``."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_ID = re.compile(r"([1-9][0-9]{0,17})-(0|[1-9][0-9]{0,8})-([0-9a-f]{8})")


def format_id(seq: int, position: int, token: str) -> str:
    """Name the row at ``position`` of entry ``seq``.

    The entry's random token keeps ids of one log from matching another's by accident.

    Examples
    --------
    >>> format_id(7, 0, "5ca1ab1e")
    '7-0-5ca1ab1e'
    """
    return f"{seq}-{position}-{token}"


def parse_id(prediction_id: str) -> tuple[int, int, str] | None:
    """Return entry, position and token; None if no log gave out such an id.

    Examples
    --------
    >>> parse_id("7-0-5ca1ab1e")
    (7, 0, '5ca1ab1e')
    >>> parse_id("seven") is None
    True
    """
    match = _ID.fullmatch(prediction_id)
    return (int(match[1]), int(match[2]), match[3]) if match else None


def random_tokens() -> Callable[[], str]:
    """Return what draws the tokens of a log's entries."""
    # Not a secret, and os.urandom would give the interpreter lock away once more a commit.
    draw = random.Random()  # noqa: S311
    return lambda: f"{draw.getrandbits(32):08x}"
