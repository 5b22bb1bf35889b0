"""``gleis fairness --sweep``: mitigations side by side."""

from __future__ import annotations

from pathlib import Path

from rich.status import Status

from gleis.cli.output import print_json, print_table, say, working
from gleis.contracts.figure import Figure
from gleis.contracts.frontier import FairnessSweep
from gleis.contracts.run import Run
from gleis.contracts.sweep import Asked
from gleis.lifecycle.project import Project


def sweep_and_show(
    project: Project,
    run: Run,
    asked: Asked,
    report: Path | None,
    as_json: bool,
) -> None:
    """Try every mitigation, print what came of it and write the page."""
    from gleis.lifecycle.fairness_sweep import sweep_fairness, write_sweep

    if as_json:
        print_json(sweep_fairness(project, run, asked))
        return
    with working("Fitting the model as it is") as shown:

        def tell(_: str, message: str) -> None:
            if isinstance(shown, Status):
                shown.update(f"Fitting {message}")

        found = sweep_fairness(project, run, asked, tell)
    show_sweep(found, run)
    target = report or project.home.reports / f"fairness-{run.id}.html"
    say(f"Chart: {write_sweep(found, run, target)}")


def show_sweep(found: FairnessSweep, run: Run) -> None:
    """Print every fit, the frontier marked, and what could not be applied."""
    say(f"What fairness by {found.attribute} costs, on {run.dataset.label}", style="bold")
    say(f"  data      {found.train_rows:,} rows fitted, {found.test_rows:,} test rows")
    qualities = list(found.points[0].quality)
    disparities = list(found.points[0].disparities)
    print_table(
        ["mitigation", "strength", *qualities, *disparities, "by group", "frontier"],
        [
            (
                point.name,
                f"{point.strength:g}" if point.mitigation else "",
                *(_short(point.quality.get(name)) for name in qualities),
                *(_span(point.disparities.get(name)) for name in disparities),
                "yes" if point.by_group else "",
                "*" if point.frontier else "",
            )
            for point in found.points
        ],
    )
    for reason in dict.fromkeys(each.reason for each in found.left_out):
        alike = [each.mitigation for each in found.left_out if each.reason == reason]
        say(f"not applied  {', '.join(alike)}: {reason}", style="yellow")
    for note in found.notes:
        say(f"note  {note}")
    level = found.points[0].disparities[found.figure].level
    say(
        f"*  no other fit here is as good in {found.quality} and fairer in {found.figure}, or as "
        f"fair and better. Brackets: {level:.0%} intervals."
    )


def _short(figure: Figure | None) -> str | None:
    return None if figure is None else f"{figure.value:.4f}"


def _span(figure: Figure | None) -> str | None:
    if figure is None:
        return None
    return f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"
