"""``gleis adopt``: bring a fitted model."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson
from gleis.cli.output import print_json, say
from gleis.cli.running import show_outcome
from gleis.cli.telling import teller

if TYPE_CHECKING:
    from gleis.contracts.contract import Task
    from gleis.lifecycle.adopt import Adoption


def adopt(
    model: Annotated[
        Path,
        typer.Argument(
            help="scikit-learn (.skops, .joblib, .pkl), XGBoost (.json, .ubj), LightGBM (.txt), "
            "ONNX (.onnx) or an MLflow model folder.",
            metavar="MODEL",
        ),
    ],
    data: Annotated[Path, typer.Option(help="Rows with the target: .parquet, .arrow or .csv.")],
    target: Annotated[str, typer.Option(help="Column the model predicts.")],
    into: Annotated[
        Path | None, typer.Option(help="Project folder to make; by default the model's name.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="binary, multiclass or regression; by default read off the target."),
    ] = None,
    row_id: Annotated[
        str | None, typer.Option("--id", help="Column that names a row; no feature.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Column of the event time; no feature.")] = None,
    positive: Annotated[str | None, typer.Option(help="Positive class of a binary task.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Column that is no feature; may be repeated.")
    ] = None,
    allow_pickle: Annotated[
        bool,
        typer.Option(
            "--allow-pickle",
            help="Open a pickle, in a process without network or files to write.",
        ),
    ] = False,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="The model was not trained on these rows.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a fitted model: contract, evidence, heuristic, tests, package, registry.

    Makes a project folder. Exits with 1 if the model does not beat the heuristic.

    Example: gleis adopt churn.joblib --data train.parquet --target churned --allow-pickle
    """
    from gleis.lifecycle.adopt import Wish, adopt  # keeps `gleis --help` light

    wish = Wish(
        model=model,
        data=data,
        target=target,
        into=into,
        task=_task(task),
        id=row_id,
        time=time,
        positive=positive,
        exclude=tuple(exclude or ()),
        allow_pickle=allow_pickle,
        unseen=unseen,
    )
    done = adopt(wish, teller()) if not as_json else adopt(wish)
    if as_json:
        print_json(done)
    else:
        _tell(done)
    if not done.outcome.promoted:
        raise typer.Exit(1)


def _task(text: str | None) -> Task | None:
    from gleis.contracts.errors import ConfigError

    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    for known in tasks:
        if text == known:
            return known
    if text is None:
        return None
    raise ConfigError(
        "--task is unknown",
        seen=text,
        remedy="Write binary, multiclass or regression.",
        field="--task",
    )


def _tell(done: Adoption) -> None:
    show_outcome(done.outcome.run, done.outcome.version.number)
    number = done.outcome.version.number
    if not done.outcome.promoted:
        say(f"Version {number} is kept, not promoted; the heuristic, version 1, serves.")
    else:
        say(f"Version {number} is champion.", style="green")
    say("Serve it:", style="bold")
    say(f"  cd {shlex.quote(str(done.folder))} && gleis serve")
    row = shlex.quote(json.dumps(done.example))
    say(f"  curl -s localhost:8000/predict -d {row}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(adopt)
