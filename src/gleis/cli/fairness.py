"""``gleis fairness``: how a run's model treats groups of people."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.fairness_live import show_live
from gleis.cli.finding import find_run
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say
from gleis.cli.sweeping import sweep_and_show
from gleis.contracts.errors import ConfigError
from gleis.contracts.fairness import AttributeFairness, Fairness
from gleis.contracts.figure import Figure
from gleis.contracts.run import Run
from gleis.contracts.sweep import STRENGTHS, Asked

_RATES = (
    "base_rate",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "roc_auc",
    "mean_target",
    "mean_prediction",
    "mean_residual",
    "mae",
)
"""Of a group, those shown without ``--all``."""
_DISPARITIES = (
    "statistical_parity_difference",
    "statistical_parity_ratio",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
    "error_rate_difference",
    "expected_calibration_error_difference",
    "differential_fairness",
    "worst_class_statistical_parity_difference",
    "worst_class_equalized_odds_difference",
    "mean_prediction_difference",
    "mean_residual_difference",
    "mae_difference",
    "prediction_distribution_gap",
)
"""Between groups, those shown without ``--all``."""
_LISTED = 10
_GROUPS = 20
"""Groups shown without ``--all``, the largest ones."""


Strengths = Annotated[
    list[float] | None,
    typer.Option(
        help="With --sweep: a strength to try, 0 to 1; may be repeated.",
        show_default=False,
        metavar="SHARE",
    ),
]
Html = Annotated[
    Path | None,
    typer.Option(help="With --sweep: where to write the chart's page.", metavar="FILE"),
]


def fairness(
    run_id: Annotated[
        str, typer.Argument(help="Run, its first letters, v3, 3 or latest.", metavar="RUN")
    ] = "latest",
    attribute: Annotated[
        str | None, typer.Option(help="Only this attribute or intersection: sex*race.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every figure.")] = False,
    live: Annotated[
        bool,
        typer.Option("--live", help="Show the champion in production, beside its test rows."),
    ] = False,
    sweep: Annotated[
        bool,
        typer.Option("--sweep", help="Fit every mitigation and show what each costs and gives."),
    ] = False,
    figure: Annotated[
        str | None,
        typer.Option(help="With --sweep: the disparity to weigh.", show_default=False),
    ] = None,
    quality: Annotated[
        str | None,
        typer.Option(help="With --sweep: the figure of quality to weigh.", show_default=False),
    ] = None,
    strength: Strengths = None,
    html: Html = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Show how a run's model treats groups of people on its test rows.

    For each protected attribute and all their intersections: rates by group, and what separates
    the groups, with intervals. Groups that are too small are named; nothing is known of them.

    With --live: the same figures on what the champion answered within monitor.window, beside those
    of its test rows. Selection rates are of all answers, the others of mature labelled ones.

    With --sweep: fit the project's model on the run's data with every mitigation that can be
    applied, at several strengths, and weigh quality against disparity. Nothing is registered.

    Example: gleis fairness v3 --attribute 'sex*race' --all
    """
    opened = open_project(project)
    if live:
        shown = None if everything else _DISPARITIES
        show_live(opened, attribute, shown, as_json=as_json)
        return
    run = find_run(opened, run_id)
    if sweep:
        asked = Asked(figure=figure, quality=quality, strengths=tuple(strength or STRENGTHS))
        sweep_and_show(opened, run, asked, html, as_json)
        return
    found = run.evidence.fairness
    if found is None:
        raise ConfigError(
            "this run has compared no groups",
            seen=run.id,
            remedy='Name columns: [fairness] protected = ["sex"], then gleis run.',
            field="fairness.protected",
        )
    listed = found.attributes if attribute is None else (_attribute(found, attribute),)
    if as_json:
        print_json({"run": run.id, "fairness": found if attribute is None else listed[0]})
        return
    _say_head(run, found)
    if attribute is None:
        _print_figures(
            "over individuals and all rows", found.figures, _individual(found, everything)
        )
    for each in listed:
        _print_attribute(each, found, everything)
    for note in found.notes:
        say(f"note  {note}")


def _attribute(found: Fairness, name: str) -> AttributeFairness:
    wanted = sorted(name.replace(" ", "").split("*"))
    for each in found.attributes:
        if sorted(each.attributes) == wanted:
            return each
    names = [each.name for each in found.attributes]
    near = difflib.get_close_matches(name, names, n=1)
    raise ConfigError(
        "this run has not compared groups of this attribute",
        seen=name,
        remedy=f"Did you mean {near[0]}?" if near else f"Compared: {', '.join(names)}.",
        field="--attribute",
    )


def _say_head(run: Run, found: Fairness) -> None:
    say(f"Run {run.id}: {run.cause}", style="bold")
    say(f"  data      {run.dataset.label}: {run.test_rows:,} test rows")
    say(f"  groups    known from {found.min_group} rows on")
    if found.mitigation:
        say(f"  mitigated {found.mitigation}")


def _individual(found: Fairness, everything: bool) -> list[str]:
    rates = {name for each in found.attributes for g in each.groups for name in g.figures}
    return [name for name in found.figures if everything or name not in rates]


def _print_attribute(each: AttributeFairness, found: Fairness, everything: bool) -> None:
    say()
    known = [group for group in each.groups if group.figures]
    there = dict.fromkeys(name for group in known for name in group.figures)
    held = [name for name in there if everything or name in _RATES]
    lines = [
        (group.name, group.rows, *(_span(group.figures.get(n)) for n in held))
        for group in (known if everything else known[:_GROUPS])
    ]
    rows = sum(group.rows for group in each.groups)
    lines.append(("all rows", rows, *(_span(found.figures.get(n)) for n in held)))
    print_table([each.name, "rows", *held], lines)
    if len(known) > _GROUPS and not everything:
        say(f"and {len(known) - _GROUPS} smaller groups: --all shows them")
    if each.unknown:
        more = f" and {len(each.unknown) - _LISTED} more" if len(each.unknown) > _LISTED else ""
        listed = ", ".join(each.unknown[:_LISTED])
        say(f"unknown, with fewer than {found.min_group} rows: {listed}{more}", style="yellow")
    if each.figures:
        names = list(each.figures if everything else filter(each.figures.get, _DISPARITIES))
        _print_figures(f"between groups of {each.name}", each.figures, names)


def _print_figures(title: str, figures: Mapping[str, Figure], names: Sequence[str]) -> None:
    rows = [(name, figures[name].value, figures[name].low, figures[name].high) for name in names]
    if rows:
        level = f"{figures[names[0]].level:.0%}"
        print_table([title, "value", f"{level} from", "to"], rows)


def _span(figure: Figure | None) -> str | None:
    if figure is None:
        return None
    to = "–" if figure.low >= 0 else " to "
    return f"{figure.value:.3f} ({figure.low:.3f}{to}{figure.high:.3f})"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fairness)
