"""``gleis data infer``: checks that the rows of a version suggest."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gleis.cli.data.options import Ref
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say


def infer(
    ref: Ref = "latest",
    pandera: Annotated[
        bool, typer.Option("--pandera", help="As a schema.py in pandera, not as [data.checks].")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write it into the project; by default it is printed.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write it, and replace the checks that are there.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Propose checks that all rows of a version pass, with room for rows not seen yet.

    Types, missing values, ranges, categories if they are few, uniqueness. Read them before you
    write them: what happened not to occur is no rule.

    Example: gleis data infer v3
    """
    from gleis.lifecycle.inferring import Inferred  # loads polars

    found = Inferred(open_project(project).bench, ref)
    path = None
    if write or force:
        path = found.write_schema(force=force) if pandera else found.write_toml(force=force)
    if as_json:
        print_json({"version": found.version, "checks": found.checks, "written": path})
    elif path is not None:
        say(f"{path.name}: checks of {len(found.checks)} columns, read off {found.version.label}.")
    else:
        sys.stdout.write(found.as_schema() if pandera else found.as_toml())


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(infer)
