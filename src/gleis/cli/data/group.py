"""``gleis data``: datasets and their versions. Each command is a file, registered here."""

from __future__ import annotations

import typer

from gleis.cli.data import (
    adding,
    checkout,
    collecting,
    declaring,
    diffing,
    erasing,
    inferring,
    listing,
    naming,
    quarantining,
    removing,
    restoring,
    scanning,
    showing,
)

data = typer.Typer(help="Datasets: their versions and what is in them.", no_args_is_help=True)

for command in (
    adding,
    declaring,
    diffing,
    listing,
    scanning,
    showing,
    inferring,
    quarantining,
    checkout,
    naming,
    restoring,
    removing,
    collecting,
    erasing,
):
    command.register(data)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(data, name="data")
