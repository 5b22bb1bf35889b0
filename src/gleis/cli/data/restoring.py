"""``gleis data restore``: a new version that equals an earlier one."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.data.options import Ref
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say


def restore(
    version: Ref,
    note: Annotated[str | None, typer.Option(help="Why, for the log.")] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Make a new version that equals an earlier one. No row is copied, and nothing is lost.

    Example: gleis data restore v3 --note "v4 had the wrong currency"
    """
    data = open_project(project).data
    wanted = data.get(version)
    before = data.get(f"{wanted.name}@latest")
    made = data.restore(wanted.label, note)
    if as_json:
        print_json({"restored": made != before, "version": made})
        return
    if made != before:
        say(f"{made.label}: the {made.rows:,} rows of {wanted.label} again.")
        return
    say(f"Nothing to do: {made.label} is the latest, and holds the rows of {wanted.label}.")


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(restore)
