"""``gleis data datasheet``: what is declared about a dataset."""

from __future__ import annotations

from typing import Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.contracts.errors import ConfigError


def datasheet(
    dataset: Annotated[
        str | None,
        typer.Argument(help="A table beside the project's own dataset.", metavar="DATASET"),
    ] = None,
    init: Annotated[bool, typer.Option("--init", help="Write a template to fill in.")] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Check and show the datasheet beside a source: origin, purpose, licence, personal data.

    It is datasheet.toml in the project folder, or datasheet.NAME.toml for [datasets.NAME]; every
    version that is made keeps it.

    Example: gleis data datasheet --init
    """
    from gleis.data.datasheet import datasheet_path, read_datasheet, version_notes
    from gleis.data.lineage import Lineage
    from gleis.data.privacy.declared import held_notes
    from gleis.governance.card_datasheet import declared_rows
    from gleis.lifecycle.data.privacy import name_beside, write_template

    opened = open_project(project)
    bench, datasets = opened.bench, opened.bench.dataset(dataset)
    beside = name_beside(bench, datasets.name)
    if init:
        path = write_template(bench, datasets.name)
        if as_json:
            print_json({"datasheet": str(path)})
        else:
            say(f"Wrote {path}. Fill it in; gleis data datasheet checks it.")
        return
    path = datasheet_path(bench.folder, beside)
    read = read_datasheet(bench.folder, beside)
    if read is None:
        raise ConfigError(
            f"The dataset {datasets.name} has no datasheet",
            seen=str(path),
            remedy="Write one: gleis data datasheet --init.",
        )
    latest = datasets.latest()
    notes = version_notes(read[0], latest) if latest is not None else []
    if latest is not None:
        notes += held_notes(read[0], Lineage(bench.home.facts).personal(latest.label))
    if as_json:
        print_json({"datasheet": str(path), "declared": read[0], "notes": notes})
        return
    print_table([path.name, ""], declared_rows(read[0]))
    for note in (*read[0].collection.gaps, *notes):
        say(f"  note: {note}")


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(datasheet)
