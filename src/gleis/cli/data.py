"""``gleis data``: dataset versions."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project, parse_moment
from gleis.cli.output import print_json, print_table, say
from gleis.data.reviews import reviewed_note

data = typer.Typer(help="Dataset versions: add, log, show.", no_args_is_help=True)


@data.command()
def add(
    project: Folder = ".",  # type: ignore[assignment]
    until: Annotated[
        str | None, typer.Option(help="Only rows before this moment (ISO 8601).")
    ] = None,
    anew: Annotated[
        bool, typer.Option(help="Load everything again: for rows that came late or were mended.")
    ] = False,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Ask the source for new rows and make a version of them.

    Example: gleis data add --until 2013-04-01
    """
    opened = open_project(project, flags)
    before = {version.version for version in opened.data.versions()}
    moment = parse_moment(until, "--until") if until else None
    version = opened.data.add(moment, anew=anew)
    if as_json:
        print_json({"added": version.version not in before, "version": version})
        return
    if version.version in before:
        say(f"Nothing new: {version.label} holds {version.rows:,} rows.")
        return
    say(f"{version.label}: {version.rows:,} rows, {version.unlabelled:,} without a label.")


@data.command()
def log(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """List the dataset versions.

    Example: gleis data log
    """
    versions = open_project(project).data.versions()
    if as_json:
        print_json(versions)
        return
    if not versions:
        say("No versions yet. Next: gleis data add")
        return
    print_table(
        ["version", "rows", "labelled", "from", "to", "loaded", "by", "content"],
        [
            (
                f"v{version.version}",
                version.rows,
                version.labelled,
                f"{version.first:%Y-%m-%d %H:%M}" if version.first else None,
                f"{version.last:%Y-%m-%d %H:%M}" if version.last else None,
                f"{version.provenance.loaded_at:%Y-%m-%d %H:%M}",
                version.provenance.loaded_by,
                version.content[:12],
            )
            for version in versions
        ],
    )


@data.command()
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


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(data, name="data")
