"""How a journey is told on a terminal while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.text import Text

from gleis.cli.output import console


def teller() -> Callable[[str, str], None]:
    """Return a function that prints each step with the seconds since the start."""
    started = time.perf_counter()

    def tell(step: str, detail: str) -> None:
        seconds = time.perf_counter() - started
        line = Text(f"{seconds:6.1f} s  ", style="dim")
        line.append(f"{step:<9} ", style="bold")
        line.append(detail)
        console.print(line)

    return tell
