"""``gleis gate``: what was asked of a run, what was measured, and the verdict."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from gleis.cli.finding import find_run
from gleis.cli.options import AsJson, Flags, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.contracts.verdict import GateResult, Verdict

_STYLES = {"pass": "green", "fail": "red", "unknown": "yellow"}


def gate(
    run_id: Annotated[
        str, typer.Argument(help="Run, its first letters, v3, 3 or latest.", metavar="RUN")
    ] = "latest",
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Hold a run's recorded evidence against the gates of gleis.toml, without running it again.

    Exits with 1 if the verdict blocks the model. Where gleis.toml asks for something else than it
    did when the run was judged, that is said, and the record stays as it is.

    Example: gleis gate v3 --set 'gates.roc_auc=">= 0.7"'
    """
    from gleis.governance.verdict_text import verdict_headline
    from gleis.lifecycle.judging import judge_again  # loads numpy

    opened = open_project(project, flags)
    run = find_run(opened, run_id)
    judged = judge_again(run, opened.settings)
    if as_json:
        print_json({**msgspec.to_builtins(judged), "passed": judged.verdict.passed})
    else:
        say(f"Run {run.id}: {run.cause}", style="bold")
        say(f"  data      {run.dataset.label}: {run.train_rows:,} train, {run.test_rows:,} test")
        if judged.changed:
            say(f"  note      {judged.changed}", style="yellow")
        show_gates(judged.verdict)
        style = "green" if judged.verdict.passed else "red"
        say(verdict_headline(judged.verdict), style=style)
    if not judged.verdict.passed:
        raise typer.Exit(1)


def show_gates(verdict: Verdict) -> None:
    """Print every gate: answer, asked, measured, interval; then the reasons that block."""
    rows = [(one.status, one.gate, one.asked, *_measured(one)) for one in verdict.gates]
    print_table(["", "gate", "asked", "measured", "from", "to"], rows)
    for one in verdict.gates:
        if one.status != "pass" or "; " in one.reason:  # of a pass: what it does not speak of
            say(f"  {one.status:<9} {one.reason}", style=_STYLES[one.status])


def _measured(one: GateResult) -> tuple[float | None, float | None, float | None]:
    figure = one.measured
    return (None, None, None) if figure is None else (figure.value, figure.low, figure.high)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gate)
