"""The report of a backtest: one HTML file with everything in it, no network."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import vl_convert
from jinja2 import Environment, PackageLoader, select_autoescape

from gleis.contracts.run import Run
from gleis.evidence import charts as evidence_charts
from gleis.lifecycle.backtests.charts import (
    drawn_policies,
    events_chart,
    frontier_chart,
    gain_chart,
    weekly_chart,
)
from gleis.lifecycle.backtests.choice import choice_notes, weigh
from gleis.lifecycle.results import Backtest, PolicyResult

# Makes the bundled library known to the page's own script.
EXPORTS = "window.vegaEmbed = vegaEmbed;"
PAGES = Environment(
    loader=PackageLoader("gleis.lifecycle", "pages"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_report(result: Backtest, path: Path, run: Run | None = None) -> Path:
    """Write the report of a backtest.

    Parameters
    ----------
    result : Backtest
    path : Path
        The HTML file; its folder is made.
    run : Run, optional
        The first model's run, whose evidence is shown too.
    """
    drawn: dict[str, Any] = {
        f"weekly-{metric}": weekly_chart(result, metric) for metric in result.metrics[:2]
    }
    if len(result.policies) > 1:
        drawn["frontier"] = frontier_chart(result)
    if len(drawn_policies(result)) > 1:
        drawn["gain"] = gain_chart(result, result.metrics[0])
    drawn["events"] = events_chart(result)
    if run is not None:
        drawn |= _evidence(run)
    page = PAGES.get_template("backtest.html").render(
        result=result,
        shown=drawn_policies(result),
        weighed=weigh(result),
        notes=choice_notes(result),
        run=run,
        charts={name: spec(chart) for name, chart in drawn.items()},
        library=vl_convert.javascript_bundle(EXPORTS),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _evidence(run: Run) -> dict[str, Any]:
    drawn: dict[str, Any] = {"figures": evidence_charts.figures_chart(run.evidence)}
    if run.evidence.calibration:
        drawn["calibration"] = evidence_charts.calibration_chart(run.evidence)
    columns = dict.fromkeys(part.column for part in run.evidence.slices)
    figure = next(iter(run.evidence.figures))
    for column in columns:
        drawn[f"slices-{column}"] = evidence_charts.slices_chart(run.evidence, figure, column)
    return drawn


class Event(NamedTuple):
    """Something that happened under a policy."""

    at: datetime
    what: str
    why: str


def events(policy: PolicyResult) -> list[Event]:
    """List alarms, decisions that were held back and promotions in the order of time."""
    held = [
        Event(made.at, f"held back: {made.held_back}", made.reason)
        for made in policy.decisions
        if made.held_back is not None
    ]
    alarms = [
        Event(alarm.at, f"{alarm.kind} alarm{_confirmed(alarm.confirmed)}", alarm.message)
        for alarm in policy.alarms
    ]
    promotions = [
        Event(made.at, f"version {made.version.number} promoted", made.reason)
        for made in policy.promotions
    ]
    return sorted(alarms + held + promotions, key=lambda event: event.at)


def _confirmed(confirmed: bool | None) -> str:
    return {True: ", confirmed later", False: ", not confirmed later", None: ""}[confirmed]


PAGES.filters["events"] = events


def spec(chart: Any) -> str:
    """Return a chart's JSON, safe inside a script element."""
    return json.dumps(chart.to_dict()).replace("</", "<\\/")
