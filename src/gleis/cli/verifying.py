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
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Check a package's files against its manifest; run its tests.

    Exits with 1 if a check fails.

    Example: gleis verify champion
    """
    from gleis.packaging.verify import verify as verify_package  # loads the model

    path = Path(package)
    if not path.is_dir():
        registry = open_project(project).registry
        version = registry.get(package)
        path, digest = registry.path(version), version.digest
    with working("Loading the package and running its tests"):
        result = verify_package(path, digest)
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
