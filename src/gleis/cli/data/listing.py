"""``gleis data log``: which versions there are."""

from __future__ import annotations

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say


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


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(log)
