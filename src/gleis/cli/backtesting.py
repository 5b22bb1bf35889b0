"""``gleis backtest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project, parse_moment
from gleis.cli.output import print_json, print_table, say
from gleis.cli.progress import ReplayProgress
from gleis.lifecycle.backtests.grid import choose_policies, read_grid
from gleis.lifecycle.results import Backtest

if TYPE_CHECKING:
    from gleis.lifecycle.backtests.choice import Weighed

_COSTS = ("to the best", "retrainings", "fit CPU s", "age d", "delay d")


Since = Annotated[str, typer.Option(help="First moment to replay (ISO 8601, UTC).")]
Until = Annotated[str, typer.Option(help="Moment to stop before.")]
Policies = Annotated[
    list[str] | None,
    typer.Option(help='never, project, monthly, "every 30d", or a cron line; may be repeated.'),
]
Grid = Annotated[
    list[str] | None,
    typer.Option(
        help="Values of a trigger setting; every combination is a policy more. May be repeated: "
        "--grid triggers.cooldown=7d,14d",
        metavar="KEY=VALUES",
    ),
]
Changes = Annotated[
    str | None,
    typer.Option(
        help="When the world is known to have changed, with commas: the delay of alarms is "
        "measured from these.",
        metavar="MOMENTS",
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        help="Name the policy that does best before this moment, and judge it after it.",
        metavar="MOMENT",
    ),
]
Workers = Annotated[
    int, typer.Option(help="Policies replayed at once, each in a process of its own.")
]
Step = Annotated[str, typer.Option(help="How far the clock moves at a time.")]
Report = Annotated[Path | None, typer.Option(help="Where to write the HTML report.")]


def backtest(
    since: Since,
    until: Until,
    policy: Policies = None,
    grid: Grid = None,
    changes: Changes = None,
    split: Split = None,
    workers: Workers = 1,
    step: Step = "1d",
    report: Report = None,
    project: Folder = ".",  # type: ignore[assignment]
    flags: Flags = None,
    as_json: AsJson = False,
) -> None:
    """Replay retraining policies over history, in simulated time, with late labels.

    Serving, logging, labelling, monitors, triggers and gates are the live ones.

    Example: gleis backtest --since 2013-04-01 --until 2013-07-01 --policy never --policy project
    """
    opened = open_project(project, flags)
    begin, end = parse_moment(since, "--since"), parse_moment(until, "--until")
    known = [parse_moment(one.strip(), "--changes") for one in (changes or "").split(",") if one]
    cut = parse_moment(split, "--split") if split is not None else None
    values = read_grid(grid or [])
    names = [one.name for one in choose_policies(policy, values, opened.settings.triggers)]
    with ReplayProgress(begin, end, names, quiet=as_json) as progress:
        result = opened.backtest(
            begin,
            end,
            policy,
            step,
            progress.on_step,
            grid=values,
            changes=known,
            split=cut,
            workers=workers,
        )
    path = opened.report(result, report)
    if as_json:
        print_json(result)
        return
    show_backtest(result)
    show_choice(result)
    say(f"Report: {path}")


def show_backtest(result: Backtest) -> None:
    """Print policies side by side."""
    print_table(
        ["policy", *result.metrics, "retrainings", "promotions", "alarms", "false", "predictions"],
        [
            (
                policy.policy,
                *(policy.figures.get(metric) for metric in result.metrics),
                policy.retrainings,
                len(policy.promotions),
                len(policy.alarms),
                policy.false_alarms,
                policy.rows,
            )
            for policy in result.policies
        ],
    )
    for policy in result.policies:
        if policy.refused:
            say(f"  {policy.policy}: {policy.refused:,} arrivals refused, first: {policy.refusal}")
    for metric, best in result.best.items():
        say(f"  best {metric}: {best}")


def show_choice(result: Backtest) -> None:
    """Print what a choice among the policies weighs; nothing for one alone."""
    if len(result.policies) == 1:
        return
    from gleis.lifecycle.backtests.choice import choice_notes, weigh  # loads numpy, by now loaded

    say()
    named = ["stale", "found"] if result.changes else []
    print_table(
        ["policy", result.metrics[0], *_COSTS, *named, "frontier"],
        [_row(one, named=bool(named)) for one in weigh(result)],
    )
    if result.split is not None:
        _show_parts(result)
    for note in choice_notes(result):
        say(f"  {note}")


def _row(one: Weighed, *, named: bool) -> list[object]:
    policy = one.result
    return [
        policy.policy,
        one.figure,
        one.gap_words,
        policy.retrainings,
        round(policy.fit_seconds),
        _days(policy.age_days),
        _days(policy.delay_days),
        *([_share(policy.stale), f"{policy.found} of {len(policy.detections)}"] if named else []),
        "*" if one.frontier else "beaten",
    ]


def _show_parts(result: Backtest) -> None:
    metric = result.metrics[0]
    say()
    print_table(
        ["policy", f"{metric} before", f"{metric} after", "retrainings before", "after"],
        [
            (
                policy.policy,
                *(part.figures.get(metric) for part in policy.parts),
                *(part.retrainings for part in policy.parts),
            )
            for policy in result.policies
        ],
    )


def _days(days: float | None) -> str | None:
    return None if days is None else f"{days:.1f}"


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backtest)
