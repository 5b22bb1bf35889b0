"""``gleis report``: a run for people who decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.finding import find_run
from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, say


def report(
    run_id: Annotated[
        str, typer.Argument(help="Run, its first letters, v3, 3 or latest.", metavar="RUN")
    ] = "latest",
    html: Annotated[
        Path | None, typer.Option(help="Where to write it; by default the state folder.")
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Write a run's verdict and all its evidence into one HTML file that needs no network.

    Every gate, quality beside heuristic and simpler models, calibration, slices, fairness,
    robustness, leakage, what the model relies on, data and environment.

    Example: gleis report v2 --html report.html
    """
    from gleis.lifecycle.reporting import report_run  # loads altair

    opened = open_project(project, flags)
    run = find_run(opened, run_id)
    path = report_run(opened, run, html)
    if as_json:
        print_json({"run": run.id, "report": str(path)})
    else:
        say(f"Report: {path}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
