"""``gleis init``: a project folder from a template."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.options import AsJson
from gleis.cli.output import print_json, say
from gleis.lifecycle.new_project import TEMPLATES, make_project


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="FOLDER")],
    template: Annotated[
        str, typer.Option(help=f"One of {', '.join(TEMPLATES)}.", metavar="NAME")
    ] = "blank",
    as_json: AsJson = False,
) -> None:
    """Make a project folder from a template.

    Example: gleis init punctuality --template flights
    """
    made = make_project(folder, template)
    if as_json:
        print_json({"folder": str(folder), "files": [str(path) for path in made]})
        return
    for path in made:
        say(f"  {path}")
    first = {
        "blank": f"put your rows into {folder / 'data.csv'}; its column `target` is predicted.",
        "tool-wear": f"download the data that toolwear.py names, unpack them to {folder / 'cnc'}.",
    }.get(template)
    if first is not None:
        say(f"Next: {first}")
    word = "Next" if first is None else "Then"
    say(f"{word}: cd {shlex.quote(str(folder))} && gleis run" + _hint(template))


def _hint(template: str) -> str:
    return " --as-of 2013-04-01   (what was known on 1 April 2013)" if template == "flights" else ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)
