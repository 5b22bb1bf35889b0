"""``gleis review``: answers that wait for a person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import complain, print_json, print_table, say
from gleis.contracts.errors import ConfigError, GleisError, InvalidRowError

if TYPE_CHECKING:
    from gleis.contracts.review import Review
    from gleis.lifecycle.reviewing import ReviewDesk, Waiting


def review(
    prediction_id: Annotated[
        str | None,
        typer.Argument(help="Prediction id; without it, what waits.", metavar="PREDICTION_ID"),
    ] = None,
    label: Annotated[str | None, typer.Option(help="What is true.", metavar="VALUE")] = None,
    correct: Annotated[
        bool, typer.Option("--correct", help="The label takes the place of an earlier one.")
    ] = False,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="It needs no label.")] = False,
    note: Annotated[str, typer.Option(help="Why, for those who read the record.")] = "",
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1)] = 20,
    ask: Annotated[
        bool | None,
        typer.Option(
            "--ask/--no-ask",
            help="Ask about one after the other.  [default: on a terminal]",
            show_default=False,
        ),
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """List answers that wait for a person, and label them one by one.

    With serve.outliers = "review" the model's answers about outliers wait. A label joins the log
    and, by the row's own id, the training data; who gave it and when is on record.

    Example: gleis review 12-0-9f86d081 --label 1 --note "seen on the ramp"
    """
    from gleis.lifecycle.reviewing import ReviewDesk

    _check(prediction_id, label, note, dismiss=dismiss, correct=correct)
    opened = open_project(project)
    desk = ReviewDesk(opened.bench)
    if prediction_id is not None and (label is not None or dismiss):
        done = (
            desk.dismiss(prediction_id, note)
            if label is None
            else desk.label(prediction_id, _scalar(label), note, correct=correct)
        )
        _tell(done, joins=_joins(opened, done), as_json=as_json)
        return
    total, found = desk.waiting(limit) if prediction_id is None else (1, [desk.show(prediction_id)])
    if as_json:
        print_json({"waiting": total, "answers": found})
        return
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if found and (on_terminal if ask is None else ask):
        _ask(desk, found, total, opened)
        return
    _list(found, total, whole=prediction_id is not None)
    if not total and opened.settings.serve.outliers != "review":
        say(
            '  Outliers wait here with serve.outliers = "review"; now: '
            f'"{opened.settings.serve.outliers}".'
        )


def _check(
    prediction_id: str | None, label: str | None, note: str, *, dismiss: bool, correct: bool
) -> None:
    if label is not None and dismiss:
        raise ConfigError(
            "--label and --dismiss cannot both be",
            seen=label,
            remedy="Label the answer, or dismiss it.",
            field="--dismiss",
        )
    if correct and label is None:
        raise ConfigError(
            "--correct names no label",
            remedy="Write gleis review PREDICTION_ID --label VALUE --correct.",
            field="--correct",
        )
    if prediction_id is None and (label is not None or dismiss or note):
        raise ConfigError(
            "gleis review names no prediction",
            remedy="Write gleis review PREDICTION_ID --label VALUE.",
            field="PREDICTION_ID",
        )


def _list(found: list[Waiting], total: int, *, whole: bool) -> None:
    if not total:
        say("Nothing waits for a review.")
        return
    if not whole:
        noun = "answer waits" if total == 1 else "answers wait"
        say(f"{total:,} {noun} for a review, the oldest first.", style="bold")
    for one in found:
        if not whole:
            say()
        _show(one, whole=whole)
    if total > len(found):
        say()
        say(f"... and {total - len(found):,} more; --limit shows them.")
    if not whole:
        say()
        say("Next: gleis review PREDICTION_ID --label VALUE, or --dismiss.")


def _show(one: Waiting, *, whole: bool = False) -> None:
    about = f"row {one.entity}, " if one.entity is not None else ""
    say(f"{one.prediction_id}  {about}answered {one.at:%Y-%m-%d %H:%M} by v{one.version}")
    by = ", by the baseline" if one.fallback else ""
    strange = "" if one.outlier is None else f"; outlier score {one.outlier:.4g}"
    if one.outlier is not None and one.threshold is not None:
        strange += f", outliers are over {one.threshold:.4g}"
    say(f"  {one.answer}{by}{strange}")
    if one.why:
        print_table(
            ["  strange", "value", "adds", "usual"],
            [(f"  {s.feature}", _value(s.value), f"{s.adds:.3g}", s.usual) for s in one.why],
        )
    if whole:
        named = {strange.feature for strange in one.why}
        rest = [f"{name} {_value(v)}" for name, v in one.features.items() if name not in named]
        if rest:
            say(f"  besides: {', '.join(rest)}")


def _ask(desk: ReviewDesk, found: list[Waiting], total: int, opened: Any) -> None:
    """Ask about one after the other, until the last or until told to stop."""
    say(f"{total:,} to review. A wrong label is told and asked again.", style="bold")
    for one in found:
        say()
        _show(one, whole=True)
        done = _answered(desk, one)
        if done is None:
            return
        if not isinstance(done, str):
            _tell(done, joins=_joins(opened, done), as_json=False)
    if total > len(found):
        say(f"{total - len(found):,} more wait: gleis review")


def _answered(desk: ReviewDesk, one: Waiting) -> Review | str | None:
    """Return the review, ``"skipped"``, or None if the person has enough."""
    words = ", ".join(one.labels) if one.labels else "a number"
    while True:
        said = typer.prompt(f"  label ({words}), or dismiss, skip, quit").strip()
        word = said if said in one.labels else said.lower()
        if word == "quit":
            return None
        if word == "skip":
            return "skipped"
        note = typer.prompt("  note", default="", show_default=False)
        try:
            if word == "dismiss":
                return desk.dismiss(one.prediction_id, note)
            return desk.label(one.prediction_id, _scalar(said), note)
        except InvalidRowError as error:
            complain(str(error.what), error.remedy)
        except GleisError as error:  # somebody else was quicker
            complain(str(error.what), error.remedy)
            return "skipped"


def _joins(opened: Any, done: Review) -> bool:
    return done.joins and opened.settings.project.id is not None


def _tell(done: Review, *, joins: bool, as_json: bool) -> None:
    if as_json:
        print_json({"review": done, "joins_training": joins and done.label is not None})
        return
    if done.label is None:
        say(f"{done.prediction_id} dismissed by {done.by}.")
        return
    say(f"{done.prediction_id} is {done.label}, says {done.by}.")
    if joins:
        say("  Its row has this label in the training data from the next run on.")
    else:
        say("  Its label counts for the monitors only: the row came without the project's id.")


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}"
    return "missing" if value is None else str(value)


def _scalar(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)
