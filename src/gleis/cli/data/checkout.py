"""``gleis data checkout``: the rows of a version as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.data.options import Ref
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say, working


def checkout(
    version: Ref,
    out: Annotated[
        Path,
        typer.Argument(help="A .parquet, .csv or .arrow file, or a folder (no suffix)."),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Write the rows of a version to a file or a folder of files, in their order.

    Example: gleis data checkout v3 flights.parquet
    """
    data = open_project(project).data
    found = data.get(version)
    with working(f"writing {found.rows:,} rows of {found.label}"):
        rows = data.checkout(found.label, out, force=force)
    if as_json:
        print_json({"version": found, "path": str(out), "rows": rows})
        return
    say(f"{out}: {rows:,} rows of {found.label}.")


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(checkout)
