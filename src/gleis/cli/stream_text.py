"""What a reader that goes on for ever says of itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from gleis.cli.output import say

Status = TypeVar("Status")


def tell_news(lines_of: Callable[[Status], Sequence[str]]) -> Callable[[Status], None]:
    """Return what prints the lines of a status, unless they are those printed last."""
    last: Sequence[str] = ()

    def tell(status: Status) -> None:
        nonlocal last
        lines = lines_of(status)
        if lines != last:
            for line in lines:
                say(line)
        last = lines

    return tell


def tell_json(status: object) -> None:
    """Print a status as one line of JSON, each time."""
    sys.stdout.write(msgspec.json.encode(status).decode() + "\n")
    sys.stdout.flush()
