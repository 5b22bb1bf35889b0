"""``gleis demo``: the whole loop on real data."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.backtesting import show_backtest
from gleis.cli.options import AsJson, parse_moment
from gleis.cli.output import print_json, say
from gleis.cli.progress import ReplayProgress
from gleis.cli.running import show_outcome
from gleis.cli.telling import teller
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.new_project import make_project


def demo(
    folder: Annotated[Path, typer.Option(help="Folder to make.")] = Path("punctuality"),
    until: Annotated[
        str | None, typer.Option(help="Where the replay ends (ISO 8601); by default the year's.")
    ] = None,
    again: Annotated[
        bool, typer.Option(help="Start over: forget what an earlier demo left in the folder.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Will my flight be late? Data, heuristic, model, gates, nine months of service, report.

    Example: gleis demo
    """
    started = time.perf_counter()
    _prepare(folder, again)
    from gleis.lifecycle.demo import RIVALS, UNTIL, Demo  # loads polars, scikit-learn, MLflow

    end = parse_moment(until, "--until") if until else UNTIL
    story = Demo(folder, end)
    tell = (lambda step, detail: None) if as_json else teller()
    _chapter("1  Data: departures and weather of January to March 2013", as_json)
    version = story.data()
    if not as_json:
        say(
            f"   {version.label}: {version.rows:,} departures; {version.unlabelled:,} never "
            "arrived as planned, have no label and are kept out of training"
        )
    _chapter("2, 3  The heuristic, then the first model", as_json)
    outcome = story.train(tell)
    if not as_json:
        show_outcome(outcome.run, outcome.version.number)
    _chapter("4  Replay: April to December, labels six hours late", as_json)
    with ReplayProgress(story.span.since, end, ["project", *RIVALS], quiet=as_json) as bars:
        result = story.replay(bars.on_step)
    _chapter("5  Result", as_json)
    path = story.project.report(result)
    if as_json:
        print_json({"backtest": result, "report": str(path)})
        return
    show_backtest(result)
    say(f"Report: {path}")
    say(f"Took {time.perf_counter() - started:.0f} s.")
    _next(folder, story.example())


def _prepare(folder: Path, again: bool) -> None:
    """Make the project folder; with ``--again`` the state of an earlier demo goes."""
    if (folder / "gleis.toml").exists():
        if not again:
            raise ConfigError(
                "this folder holds a project already",
                seen=str(folder),
                remedy="gleis demo --again starts over, --folder takes another.",
            )
        shutil.rmtree(folder / ".gleis", ignore_errors=True)
        return
    make_project(folder, "flights")


def _chapter(title: str, as_json: bool) -> None:
    if not as_json:
        say()
        say(title, style="bold")


def _next(folder: Path, row: dict[str, object]) -> None:
    say()
    say("Next:", style="bold")
    say(f"  cd {folder} && gleis up")
    say(f"  curl -s localhost:8000/predict -d '{json.dumps(row)}'")
    say("  gleis backtest --help")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)
