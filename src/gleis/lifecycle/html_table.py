"""Tables for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_TABLE = "border-collapse:collapse;font:14px system-ui,sans-serif"
_CELL = "padding:3px 10px;border-bottom:1px solid #ddd;text-align:left"


def html_table(rows: Iterable[Iterable[str]]) -> str:
    """Return an HTML table; every cell is escaped.

    Examples
    --------
    >>> "&lt;b&gt;" in html_table([["<b>"]])
    True
    """
    body = "".join(
        "<tr>" + "".join(f"<td style='{_CELL}'>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table style='{_TABLE}'>{body}</table>"
