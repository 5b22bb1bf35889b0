"""``gleis data erase``: a person's data, everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from gleis.contracts.erasure import Erasure
    from gleis.lifecycle.data.erasing import Found


def erase(
    subject: Annotated[str, typer.Option(help="Id of the person, as the datasets have it.")],
    ids: Annotated[
        list[str] | None,
        typer.Option("--id", help="Id of a further row of theirs, which no dataset holds."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why, for the record; name nobody: a ticket's number.")
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Erase. Without it only say what is there.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Erase a person from datasets, prediction log, feedback, reviews and features.

    Versions of datasets stay readable without the rows; they are marked as not reproducible.

    Example: gleis data erase --subject 4711 --reason "ticket 88" --yes
    """
    data = open_project(project).data
    found = data.find_subject(subject, ids or ())
    if not yes:
        _tell_found(found, as_json=as_json)
        return
    record = data.erase(found, reason)
    if as_json:
        print_json(record)
        return
    for line in erased_lines(record):
        say(line)


def _tell_found(found: Found, *, as_json: bool) -> None:
    if as_json:
        print_json({"held": found.held, "ids": len(found.entities), "not_looked": found.not_looked})
        return
    if found.held:
        print_table(
            ["dataset", "version", "rows of theirs"],
            [
                (name, f"v{number}", rows)
                for name, held in found.held.items()
                for number, rows in held.items()
            ],
        )
    else:
        say("No dataset version that can be read holds a row of theirs.")
    if found.entities:
        ids = len(found.entities)
        say(f"The prediction log is looked through for {ids:,} id{'s' * (ids != 1)}.")
    _say_not_looked(found.not_looked)
    say("Nothing was erased. To erase: the same with --yes")


def erased_lines(record: Erasure) -> list[str]:
    """Return what was erased, and what could not be, in sentences."""
    said = [f"{record.id}: erased"]
    for one in record.datasets:
        versions = ", ".join(label.rpartition("@")[2] for label in one.versions)
        said.append(f"  {one.name}: {one.rows:,} row{'s' * (one.rows != 1)}, out of {versions}")
    counts = (
        (record.answers, "answers of the prediction log emptied"),
        (record.labels, "labels"),
        (record.feedback, "feedback texts"),
        (record.reviews, "answers that waited for a person"),
        (record.features, "entries of the online feature store brought up to what is left"),
        (record.artifacts, "kept results of steps with rows like theirs"),
    )
    said += [f"  {count:,} {what}" for count, what in counts if count]
    if len(said) == 1:
        said = [f"{record.id}: nothing of theirs was found; rows of theirs will not come in"]
    if record.packages:
        said.append(
            f"Sample rows like theirs are in the packages of {', '.join(record.packages)}. They "
            "are signed and stay as they are: train anew, and delete them where they are kept."
        )
    if record.named:
        answers = ", ".join(record.named[:5]) + ", ..." * (len(record.named) > 5)
        said.append(
            f"Reviews of the answers {answers} name rows of theirs by id in the ledger: an earlier "
            "gleis wrote it there, and nothing is ever deleted from it. Newer reviews do not."
        )
    if record.trained:
        versions = ", ".join(str(number) for number in record.trained)
        said.append(f"Trained on rows of theirs: model versions {versions}. Train anew: gleis run")
    return said


def _say_not_looked(names: tuple[str, ...]) -> None:
    if names:
        say(
            f"Not looked through, because they name no subject: {', '.join(names)}. If they are "
            "about people: subject under [datasets.NAME]."
        )


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(erase)
