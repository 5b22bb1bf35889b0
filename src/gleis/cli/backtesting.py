"""``gleis backtest``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gleis.cli.options import AsJson, Flags, Folder, open_project, parse_moment
from gleis.cli.output import print_json, print_table, say
from gleis.cli.progress import ReplayProgress
from gleis.lifecycle.results import Backtest


def backtest(
    since: Annotated[str, typer.Option(help="First moment to replay (ISO 8601, UTC).")],
    until: Annotated[str, typer.Option(help="Moment to stop before.")],
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help='never, project, monthly, "every 30d", or a cron line; may be repeated.',
        ),
    ] = None,
    step: Annotated[str, typer.Option(help="How far the clock moves at a time.")] = "1d",
    report: Annotated[Path | None, typer.Option(help="Where to write the HTML report.")] = None,
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
    policies = policy or ["never", "project"]
    with ReplayProgress(begin, end, policies, quiet=as_json) as progress:
        result = opened.backtest(begin, end, policies, step, progress.on_step)
    path = opened.report(result, report)
    if as_json:
        print_json(result)
        return
    show_backtest(result)
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


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backtest)
