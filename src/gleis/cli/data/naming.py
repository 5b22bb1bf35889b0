"""``gleis data name``: names of versions."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.data.options import Ref
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say


def name(
    version: Ref,
    given: Annotated[str, typer.Argument(help="Such as q1-audit.", metavar="NAME")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the name back.")] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Give a version a name by which it is found again; a version with a name is not removed.

    Example: gleis data name v3 q1-audit
    """
    data = open_project(project).data
    found = data.unname(version, given) if remove else data.name(version, given)
    if as_json:
        print_json({"version": found.label, "name": given, "given": not remove})
        return
    say(
        f"{found.label} no longer has the name {given}." if remove else f"{given} is {found.label}."
    )


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(name)
