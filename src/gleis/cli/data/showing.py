"""``gleis data show``: what is in a version."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.data.reviews import reviewed_note


def show(
    version: Annotated[str, typer.Argument(help="v3, 3 or latest.", metavar="VERSION")] = "latest",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Show one version: provenance, columns, missing values, distributions.

    Example: gleis data show v1
    """
    opened = open_project(project)
    found = opened.data.get(version)
    columns = opened.data.describe(version)
    if as_json:
        print_json({"version": found, "columns": columns})
        return
    provenance = found.provenance
    say(f"{found.label}  {found.rows:,} rows, {found.unlabelled:,} without a label")
    say(f"  from     {provenance.source} by {provenance.loaded_by}, code {provenance.code[:12]}")
    say(f"  loaded   {provenance.loaded_at:%Y-%m-%d %H:%M:%S} UTC")
    if note := reviewed_note(found):
        say(f"  reviews  {note}")
    say(f"  content  {found.content}")
    say()
    print_table(
        ["column", "type", "role", "missing", "low", "median", "high", "values"],
        [
            (
                column["name"],
                _brief(column["type"]),
                column["role"],
                column["missing"],
                _minute(column["low"]),
                column["median"],
                _minute(column["high"]),
                column["values"],
            )
            for column in columns
        ],
    )


def _brief(kind: str) -> str:
    """Leave out the parameters of a type: ``Datetime(...)`` is ``Datetime``."""
    return kind.partition("(")[0]


def _minute(value: object) -> object:
    """Cut a time to its minute; leave a number as it is."""
    return value[:16] if isinstance(value, str) else value


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(show)
