"""``gleis keys``: new, list, trust, sign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from gleis.lifecycle.project_keys import ProjectKeys

keys = typer.Typer(no_args_is_help=True, help="Keys that sign packages, and whom to trust.")


@keys.command()
def new(
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Retire the key there is; go on trusting it.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Make the key that signs this project's packages; one that is there is never overwritten.

    With signing.passphrase_from, it is encrypted with the passphrase in that variable.

    Example: gleis keys new
    """
    known = _keys(project, flags)
    made = known.new(rotate=rotate)
    if as_json:
        print_json({"key": made, "path": str(known.path)})
        return
    say(f"Made {known.path}, fingerprint {made.fingerprint}")
    say("  Keep it secret. To pin it where the state folder cannot change it, in gleis.toml:")
    say("  [signing]")
    say(f'  trust = ["{made.fingerprint}"]')


@keys.command("list")
def list_keys(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """List the key that signs and those that are trusted.

    Example: gleis keys list
    """
    found = _keys(project).list()
    if as_json:
        print_json(found)
        return
    if not found:
        say("No keys yet. The first gleis run makes one, or: gleis keys new")
        return
    print_table(
        ["key", "fingerprint", "signs", "trusted"],
        [(key.name, key.fingerprint, key.signs, key.trusted) for key in found],
    )


@keys.command()
def trust(
    file: Annotated[Path, typer.Argument(help="Public key, PEM.", metavar="FILE.pub")],
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Load packages signed by this key from now on.

    Example: gleis keys trust colleague.pub
    """
    key = _keys(project).trust(file)
    if as_json:
        print_json(key)
        return
    say(f"Packages signed by {key.name} are loaded from now on: {key.fingerprint}")


@keys.command()
def sign(
    version: Annotated[str, typer.Argument(help="v3, or an alias.", metavar="VERSION")],
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Sign a version's package with this project's key, if it is what was registered.

    For packages of before keys, and for those of a key that is no longer trusted.

    Example: gleis keys sign v2
    """
    signed, key = _keys(project).sign(version)
    if as_json:
        print_json({"version": signed.number, "digest": signed.digest, "key": key})
        return
    say(f"Version {signed.number} is signed by {key.name}, {key.fingerprint}")


def _keys(project: Path, flags: list[str] | None = None) -> ProjectKeys:
    from gleis.lifecycle.project_keys import ProjectKeys  # keeps `gleis --help` light

    return ProjectKeys(open_project(project, flags).bench)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")
