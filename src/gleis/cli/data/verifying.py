"""``gleis data verify``: whether the versions are what was recorded of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.data.options import Name
from gleis.cli.exits import exit_code
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say, working
from gleis.contracts.errors import StoreError

if TYPE_CHECKING:
    from gleis.contracts.held import Held

_SHOWN = 12


def verify(
    name: Name = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend what can be mended, with the remote's help if any."),
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Read all versions of all datasets, or of one, and hold them against their hashes.

    With --repair: commits of a table's log that are cut or missing are made anew from the ledger
    and the table's files, where the version then has its hash; files are fetched from the remote.
    What was damaged is kept beside the table. Exits with 7 if something is damaged.

    Example: gleis data verify flights --repair
    """
    from gleis.lifecycle.data.verifying import verify_data  # loads polars

    opened = open_project(project)
    with working("reading all versions"):
        found = verify_data(opened.bench, name, mend=repair)
    if as_json:
        print_json([_document(each) for each in found])
    else:
        for each in found:
            _tell(each, can_be_mended=not repair)
    if not all(each.whole for each in found):
        raise typer.Exit(exit_code(StoreError("damaged")))


def _document(held: Held) -> dict[str, object]:
    return {each: getattr(held, each) for each in held.__struct_fields__} | {
        "whole": held.whole,
        "last_whole": held.last_whole,
    }


def _tell(held: Held, *, can_be_mended: bool) -> None:
    for done in held.mended:
        say(f"{held.dataset}: {done}.")
    versions, damaged = held.versions, held.damaged
    if not versions:
        say(f"{held.dataset}: no versions yet.")
        return
    count = f"{len(versions):,} version{'s' * (len(versions) != 1)}"
    if held.whole:
        say(f"{held.dataset}: {count}, {versions[-1].rows:,} rows in the newest; all are whole.")
        return
    say(f"{held.dataset}: {len(damaged):,} of {count} damaged.", style="bold")
    for told in held.log:
        say(f"  log: {told}")
    for each in damaged[:_SHOWN]:
        say(f"  v{each.version}: {each.damage}")
    if len(damaged) > _SHOWN:
        say(f"  and {len(damaged) - _SHOWN:,} more; --json has them all")
    say(f"  {_next(held, can_be_mended=can_be_mended)}")


def _next(held: Held, *, can_be_mended: bool) -> str:
    if can_be_mended:
        return f"Next: gleis data verify {held.dataset} --repair"
    advice = "Bring the files back from a copy of the state folder and run it again."
    newest = held.versions[-1]
    if newest.damage is None:
        return advice
    advice += f" Or load them from the source: gleis data add {held.dataset} --anew."
    if held.last_whole is None:
        return advice
    last = f"{held.dataset}@v{held.last_whole}"
    return f"{advice} Or go on from the last whole version: gleis data restore {last}"


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(verify)
