"""``gleis promote``, ``gleis rollback``."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say, working

_MOVING = "Moving the alias here and in MLflow"


def promote(
    version: Annotated[str, typer.Argument(help="v3, 3, or an alias.", metavar="VERSION")],
    reason: Annotated[str, typer.Option(help="Why; it goes into the history.")] = "by hand",
    override: Annotated[
        str | None, typer.Option(help="Promote although its gates failed, for this reason.")
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Make a version champion.

    Example: gleis promote v3 --reason "agreed in the model board"
    """
    opened = open_project(project)
    with working(_MOVING):
        found = opened.promote(version, reason, override)
    if as_json:
        print_json({"champion": found})
        return
    say(f"Version {found.number} is champion. A running service follows within a second.")


def rollback(
    reason: Annotated[str, typer.Option(help="Why; it goes into the history.")] = "by hand",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Make the previous champion champion again.

    Example: gleis rollback --reason "wrong weather feed"
    """
    opened = open_project(project)
    with working(_MOVING):
        found = opened.rollback(reason)
    if as_json:
        print_json({"champion": found})
        return
    say(f"Version {found.number} is champion again. A running service follows within a second.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(promote)
    app.command()(rollback)
