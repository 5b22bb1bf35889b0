"""``gleis data add``: a new version from the source."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.data.options import Name
from gleis.cli.ingest_text import tell_ingested
from gleis.cli.options import AsJson, Flags, Folder, open_project, parse_moment
from gleis.cli.output import print_json, say
from gleis.contracts.errors import ConfigError


def add(
    dataset: Name = None,
    project: Folder = ".",  # type: ignore[assignment]
    until: Annotated[
        str | None, typer.Option(help="Only rows before this moment (ISO 8601).")
    ] = None,
    anew: Annotated[
        bool, typer.Option(help="Load everything again: for rows that came late or were mended.")
    ] = False,
    note: Annotated[str | None, typer.Option(help="What to remember of this version.")] = None,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Ask the source for new rows and make a version of them.

    Example: gleis data add --until 2013-04-01 --note "first quarter"
    """
    opened = open_project(project, flags)
    if dataset is not None and dataset != opened.settings.project.name:
        if until is not None:
            raise ConfigError(
                "--until is for the project's own dataset", seen=dataset, field="--until"
            )
        tell_ingested(opened.data.ingest(dataset, anew=anew, note=note), as_json=as_json)
        return
    before = {version.version for version in opened.data.versions()}
    moment = parse_moment(until, "--until") if until else None
    version = opened.data.add(moment, anew=anew, note=note)
    if as_json:
        print_json({"added": version.version not in before, "version": version})
        return
    if version.version in before:
        say(f"Nothing new: {version.label} holds {version.rows:,} rows.")
        return
    say(f"{version.label}: {version.rows:,} rows, {version.unlabelled:,} without a label.")
    if version.quarantined:
        say(f"  {version.quarantined:,} failed a check and were set aside: gleis data quarantine")
    if version.provenance.personal and version.provenance.datasheet is None:
        say(f"  Personal data: {', '.join(version.provenance.personal)}.")
        say("  Nothing is declared about it: gleis data datasheet --init, or gleis data scan.")


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(add)
