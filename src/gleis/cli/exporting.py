"""``gleis export``: what other tools take over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, say
from gleis.cli.telling import teller

export = typer.Typer(help="Files for other tools: DVC, a model folder, metrics.")


@export.command("dvc")
def export_dvc(
    dep: Annotated[
        list[str] | None, typer.Option(help="A file that load reads; may be given again.")
    ] = None,
    always_load: Annotated[
        bool,
        typer.Option("--always-load", help="Every dvc repro asks the source for new rows."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that gleis did not write.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Write dvc.yaml and params.yaml for the project's steps: data, train, evaluate.

    Then dvc repro, dvc push, dvc pull, dvc exp run and dvc metrics show work.

    Example: gleis export dvc --dep flights.csv
    """
    from gleis.lifecycle.dvc_export import export_dvc as write  # loads polars

    bench = open_project(project).bench
    paths = write(bench, dep or (), always_load=always_load, force=force)
    if as_json:
        print_json({"written": [str(path) for path in paths]})
        return
    for path in paths:
        say(f"Wrote {path.relative_to(bench.folder)}")
    say("Next: dvc repro")


@export.command()
def model(
    out: Annotated[Path, typer.Argument(help="Folder that becomes a copy of the package.")],
    version: Annotated[str, typer.Option(help="Of the registry; by default the newest.")] = (
        "latest"
    ),
    train: Annotated[
        bool,
        typer.Option(
            "--train", help="Train on the newest dataset version first, as gleis run does."
        ),
    ] = False,
    flags: Flags = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Copy a version's package to a folder.

    With --train a model that its gates block is copied too; its evidence says so.

    Example: gleis export model dvc/model --train
    """
    from gleis.lifecycle.dvc_export import export_model, train_on_latest  # loads polars

    bench = open_project(project, flags).bench
    ref = version
    if train:
        if not as_json:
            bench.tell = teller()
        ref = str(train_on_latest(bench).number)
    found = export_model(bench, out, ref)
    if as_json:
        print_json({"version": found, "path": str(out)})
        return
    say(f"{out}: version {found.number}")


@export.command()
def metrics(
    out: Annotated[Path, typer.Argument(help="JSON file.")],
    model: Annotated[Path, typer.Option(help="Folder of a package.")],
    as_json: AsJson = False,
) -> None:
    """Write the figures of a package, and its baseline's, as JSON.

    Example: gleis export metrics dvc/metrics.json --model dvc/model
    """
    from gleis.lifecycle.dvc_export import export_metrics  # loads polars

    found = export_metrics(model, out)
    if as_json:
        print_json(found)
        return
    say(f"{out}: {', '.join(name for name in found if name not in ('baseline', 'rows'))}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(export, name="export")
