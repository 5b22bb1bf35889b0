"""What commands print: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPED = 160
"""Columns where there is no terminal: enough for every table, cut by nobody."""


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED
    # Without emoji: a name is printed as it is, and rich need not load its table of them (13 ms).
    return Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=True, width=width)


console = _console()
errors = _console(stderr=True)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    body = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    sys.stdout.write(body.decode() + "\n")


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table; numbers to the right. On a narrow terminal no name and no number is cut."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    listed = [list(row) for row in rows]
    for position, header in enumerate(headers):
        cells = [row[position] for row in listed if row[position] is not None]
        numeric = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        table.add_column(
            header,
            justify="right" if numeric else "left",
            header_style="bold",
            no_wrap=numeric or position == 0,
            overflow="fold",
        )
    for row in listed:
        table.add_row(*(Text(_text(cell)) for cell in row))
    console.print(table)


def say(message: str = "", style: str | None = None) -> None:
    """Print a line for people."""
    console.print(Text(message), style=style)


def working(message: str) -> AbstractContextManager[object]:
    """Show on a terminal what a step that takes seconds is doing, until it is done."""
    return errors.status(Text(message)) if errors.is_terminal else nullcontext()


def complain(message: str, remedy: str = "") -> None:
    """Print an error."""
    errors.print(Text("error: ", style="bold red") + Text(message))
    if remedy:
        errors.print(Text(f"       {remedy}"))


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:,.4f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return str(cell)
