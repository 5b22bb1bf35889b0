"""``gleis data gc``: delete files that no version needs."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from gleis.cli.data.options import Name
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say


def gc(
    name: Name = None,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="First remove all but the newest so many versions, and but those that something "
            "needs.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Delete files that no version needs, and say which versions stay for whose sake.

    Example: gleis data gc --dry-run
    """
    done = open_project(project).data.collect(name, keep=keep, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run} | msgspec.structs.asdict(done))
        return
    for version, needs in done.stays.items():
        say(f"v{version} stays: {'; '.join(needs)}.")
    if done.removed:
        gone = ", ".join(f"v{version}" for version in done.removed)
        say(f"{'Would remove' if dry_run else 'Removed'} {gone}.")
    files = f"{done.files:,} file{'' if done.files == 1 else 's'}, {_size(done.size)}"
    if not done.files:
        say("Nothing to delete: every file is needed.")
        return
    say(f"{'Would delete' if dry_run else 'Deleted'} {files}.")


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.2f} GB"


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(gc)
