"""``gleis run``, ``gleis runs``, ``gleis show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from gleis.cli.evidence_text import show_sections
from gleis.cli.finding import find_run
from gleis.cli.options import AsJson, AsOf, Flags, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.cli.telling import teller
from gleis.contracts.deployment import Version
from gleis.contracts.errors import BlockedError
from gleis.contracts.run import Run

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project


def run(
    project: Folder = ".",  # type: ignore[assignment]
    as_of: AsOf = None,
    refresh: Annotated[bool, typer.Option(help="Ask the source for new rows.")] = False,
    reproduce: Annotated[
        str | None, typer.Option(help="Repeat this run and compare.", metavar="RUN")
    ] = None,
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Train, examine, judge, package; promote if the gates let it.

    Exits with 1 if the verdict blocks the model. Steps whose inputs have not changed are not
    repeated.

    Example: gleis run --as-of 2013-04-01
    """
    opened = open_project(project, flags, as_of)
    if reproduce is not None:
        _reproduce(opened.reproduce(reproduce), as_json)
        return
    result = opened.run(refresh=refresh, tell=None if as_json else teller())
    if as_json:
        print_json(result.outcome)
    else:
        show_outcome(result.outcome.run, result.outcome.version.number)
        _say_end(result)
    verdict = result.outcome.run.verdict
    if verdict is not None and not verdict.passed:
        raise typer.Exit(1)


def _say_end(result: object) -> None:
    from gleis.lifecycle.shown import RunResult  # light: already loaded by the project

    assert isinstance(result, RunResult)
    outcome = result.outcome
    if outcome.unchanged:
        say("Nothing changed since this run: nothing was done.")
        say("  New rows at the source? gleis run --refresh")
        number = outcome.version.number
        if outcome.champion != number:
            say(f"  Version {outcome.champion} is champion, not this one: gleis promote v{number}")
    elif outcome.promoted:
        say(f"Version {outcome.version.number} is champion. Next: gleis up")
    elif outcome.released is not None:
        number = outcome.version.number
        say(f"Version {number} is tried beside the champion ({outcome.released}): gleis deploy")
    else:
        say(f"Version {outcome.version.number} is kept, not promoted.")


def _reproduce(result: object, as_json: bool) -> None:
    from gleis.lifecycle.reproduction import Reproduction  # light

    assert isinstance(result, Reproduction)
    if as_json:
        print_json(result)
    else:
        for line in result.lines():
            say(line)
    if not result.same:
        raise BlockedError("the run was not reproduced", seen=result.run)


def runs(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """List the runs.

    Example: gleis runs
    """
    opened = open_project(project)
    found = opened.runs()
    if as_json:
        print_json(found)
        return
    if not found:
        say("No runs yet. Next: gleis run")
        return
    metrics = _judged(found[-1])
    versions = _versions(opened)
    print_table(
        ["run", "kind", "version", "data", "rows", *metrics, "verdict", "cause"],
        [
            (
                run.id,
                run.kind,
                versions.get(run.id),
                f"v{run.dataset.version}",
                run.train_rows,
                *(_value(run, metric) for metric in metrics),
                "passed" if run.verdict and run.verdict.passed else "blocked",
                run.cause[:60],
            )
            for run in found
        ],
    )


def _judged(run: Run) -> list[str]:
    """Name the figures a list of runs shows: those its gates judge, else the first two."""
    figures = run.evidence.figures
    judged = [gate.gate for gate in run.verdict.gates] if run.verdict else []
    return [name for name in figures if name in judged][:3] or list(figures)[:2]


def _versions(opened: Project) -> dict[str, str]:
    # From the ledger: the registry would load polars for a list.
    found = [msgspec.json.decode(body, type=Version) for body in opened.home.facts.all("version")]
    return {version.run: f"v{version.number}" for version in found}


def _value(run: Run, metric: str) -> float | None:
    figure = run.evidence.figures.get(metric)
    return figure.value if figure else None


def show(
    run_id: Annotated[
        str, typer.Argument(help="Run, its first letters, v3, 3 or latest.", metavar="RUN")
    ] = "latest",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Show one run: data, code, environment, figures, verdict.

    Example: gleis show v2
    """
    found = find_run(open_project(project), run_id)
    if as_json:
        print_json(found)
        return
    show_outcome(found, None)
    _show_slices(found)
    show_sections(found.evidence)
    code = found.code
    say(
        f"  code      {code.reached[:12]}, commit {(code.commit or 'none')[:12]}"
        + (", with uncommitted changes" if code.diff else "")
    )
    say(f"  python    {found.environment.python} on {found.environment.platform}")
    say(f"  params    {found.params}")
    say(f"  seeds     {found.seeds}")
    took = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in found.durations.items())
    say(f"  took      {took}")
    say(f"  tracking  {found.tracking or 'none'}")
    say(f"  package   {found.package or 'none'}")


def _show_slices(run: Run) -> None:
    slices = run.evidence.slices
    if not slices:
        return
    metrics = _judged(run)
    print_table(
        ["  slice", "rows", *metrics],
        [
            (
                f"  {part.column} = {part.value}",
                part.rows,
                *(_maybe(part.figures.get(metric)) for metric in metrics),
            )
            for part in slices
        ],
    )


def show_outcome(run: Run, version: int | None) -> None:
    """Print figures and verdict of a run."""
    evidence = run.evidence
    title = f"Run {run.id}" + (f", version {version}" if version is not None else "")
    say(f"{title}: {run.cause}", style="bold")
    say(f"  data      {run.dataset.label}: {run.train_rows:,} rows train, {run.test_rows:,} test")
    print_table(
        ["  figure", "value", "95% from", "to", "baseline", "gain"],
        [
            (
                f"  {name}",
                figure.value,
                figure.low,
                figure.high,
                _maybe(evidence.baseline.get(name)),
                _maybe(evidence.gain.get(name)),
            )
            for name, figure in evidence.figures.items()
        ],
    )
    for note in evidence.notes:
        say(f"  note      {note}")
    gates = run.verdict.gates if run.verdict else ()
    for leak in evidence.leakage.leaks if evidence.leakage else ():
        if not any(leak.reason.rstrip(".") in gate.reason for gate in gates):
            say(f"  leak{' ' if leak.certain else '?'}     {leak.reason}", style="yellow")
    for gate in gates:
        style = {"pass": "green", "fail": "red", "unknown": "yellow"}[gate.status]
        say(f"  {gate.status:<9} {gate.reason}", style=style)


def _maybe(figure: object) -> float | None:
    value = getattr(figure, "value", None)
    return float(value) if value is not None else None


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(runs)
    app.command()(show)
