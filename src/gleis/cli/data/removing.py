"""``gleis data rm``: a version that nobody needs."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.data.options import Ref
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say


def rm(
    version: Ref,
    why: Annotated[str | None, typer.Option(help="Why, for the log.")] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Remove a version, unless a registered model, a run or a name needs it.

    It can no longer be read. Its record stays; its files go with: gleis data gc

    Example: gleis data rm v2 --why "loaded twice"
    """
    data = open_project(project).data
    found = data.get(version)
    removal = data.remove(found.label, why)
    if as_json:
        print_json(removal)
        return
    say(f"{found.label} is removed. Free its files: gleis data gc")


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(rm)
