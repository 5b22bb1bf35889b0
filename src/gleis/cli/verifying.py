"""``gleis verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say, working


def verify(
    package: Annotated[
        str, typer.Argument(help="Folder of a package, or v3, or an alias.", metavar="PACKAGE")
    ] = "champion",
    digest: Annotated[str | None, typer.Option(help="Digest it must have.")] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(help="Public key to trust, instead of the project's.", metavar="FILE.pub"),
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Check a package's signature, digest, files and types; run its tests.

    Where model-signing is installed, it gives a second opinion on the signature. Exits with 1 if a
    check fails.

    Example: gleis verify champion
    """
    from gleis.packaging.keyring import trust_around
    from gleis.packaging.keys import read_trust
    from gleis.packaging.second_opinion import second_opinion
    from gleis.packaging.verify import verify as verify_package  # loads the model

    path = Path(package).resolve()
    trust = read_trust(key) if key else None
    if not path.is_dir():
        bench = open_project(project).bench
        version = bench.registry.get(package)
        path, digest = bench.registry.path(version), version.digest
        trust = trust or bench.trust
    trust = trust or trust_around(path)
    with working("Loading the package and running its tests"):
        result = second_opinion(verify_package(path, digest, trust), path, trust)
    if as_json:
        print_json({"ok": result.ok, "checks": result.checks, "package": str(path)})
    else:
        print_table(
            ["", "check", "found"],
            [("ok" if c.passed else "FAILED", c.name, c.text) for c in result.checks],
        )
        say(f"{path} {'is as it was made' if result.ok else 'must not be used'}.")
    if not result.ok:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)
