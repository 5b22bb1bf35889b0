"""``gleis data``: datasets and their versions. Each command is a file, listed here."""

from __future__ import annotations

import typer

from gleis.cli.listed import group_of

_COMMANDS = {
    "gleis.cli.data.adding": {
        "add": "Ask the source for new rows and make a version of them.",
    },
    "gleis.cli.data.declaring": {
        "datasheet": (
            "Check and show the datasheet beside a source: origin, purpose, licence, personal data."
        ),
    },
    "gleis.cli.data.diffing": {
        "diff": (
            "Compare two versions: columns, rows, values, and how far "
            "distributions moved beyond chance."
        ),
    },
    "gleis.cli.data.listing": {
        "log": ("List the versions of a dataset: who, when, rows, source, names, what needs them."),
    },
    "gleis.cli.data.verifying": {
        "verify": (
            "Read all versions of all datasets, or of one, and hold them against their hashes."
        ),
    },
    "gleis.cli.data.scanning": {
        "scan": (
            "Look for personal data in all rows of a version, and hold it against the datasheet."
        ),
    },
    "gleis.cli.data.showing": {
        "show": (
            "Show one version: columns, missing values, pairs, time, duplicates, "
            "what tells of the target."
        ),
    },
    "gleis.cli.data.inferring": {
        "infer": (
            "Propose checks that all rows of a version pass, with room for rows not seen yet."
        ),
    },
    "gleis.cli.data.quarantining": {
        "quarantine": (
            "List rows that failed a check and were set aside, show them, or bring them back."
        ),
    },
    "gleis.cli.data.checkout": {
        "checkout": ("Write the rows of a version to a file or a folder of files, in their order."),
    },
    "gleis.cli.data.naming": {
        "name": (
            "Give a version a name by which it is found again; a version with a "
            "name is not removed."
        ),
    },
    "gleis.cli.data.restoring": {
        "restore": "Make a new version that equals an earlier one.",
    },
    "gleis.cli.data.removing": {
        "rm": "Remove a version, unless a registered model, a run or a name needs it.",
    },
    "gleis.cli.data.collecting": {
        "gc": ("Delete files that no version needs, and say which versions stay for whose sake."),
    },
    "gleis.cli.data.erasing": {
        "erase": ("Erase a person from datasets, prediction log, feedback, reviews and features."),
    },
}

data = typer.Typer(
    cls=group_of(_COMMANDS),
    help="Datasets: their versions and what is in them.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(data, name="data")
