"""Tables and lists in Markdown, which no value in them can break."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MOST = 12
"""Names that are listed before it says how many more there are."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a table.

    Examples
    --------
    >>> print(table(("name", "rows"), [("a|b", "3")]))
    | name | rows |
    | --- | --- |
    | a\|b | 3 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell(each) for each in line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    """Return a list of points."""
    return "\n".join(f"- {cell(sentence)}" for sentence in sentences)


def cell(text: str) -> str:
    """Keep a value from breaking its line, its table, or the page it is shown on."""
    return re.sub(r"\||<(?=[A-Za-z/!?])", r"\\\g<0>", " ".join(text.split()))


def listed(names: Sequence[str]) -> str:
    """Return the first twelve names, and how many more there are."""
    rest = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + rest
