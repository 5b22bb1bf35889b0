"""Arguments that commands about versions share."""

from __future__ import annotations

from typing import Annotated

import typer

Name = Annotated[
    str | None,
    typer.Argument(help="A table of [datasets.NAME]; by default the project's own dataset."),
]
Ref = Annotated[
    str,
    typer.Argument(
        help="3, v3, latest, a name, or a moment (ISO 8601): the newest version recorded by then. "
        "Of a table: weather@v3.",
        metavar="VERSION",
    ),
]
