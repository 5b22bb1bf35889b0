"""``gleis monitor``, ``gleis status``, ``gleis doctor``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer

from gleis.cli.estimate_text import estimate_lines
from gleis.cli.options import AsJson, Folder, open_project, parse_moment
from gleis.cli.output import print_json, print_table, say, working
from gleis.contracts.deployment import Deployment
from gleis.contracts.figure import Figure
from gleis.registry.deployments import Deployments

_SHOWN = 8
"""Columns whose evidence is printed, the strongest first."""
_UNITS = {"drift": "  (evidence as powers of 10)", "performance": "  (evidence as powers of 10)"}
_CHANGED = {"told", "sure_but_harmless", "sure_but_small"}
"""Columns that changed, a sentence each; ``--json`` has their figures."""
_MOMENTS = {"since", "last training", "next scheduled"}


def monitor(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """Look once at what is new; raise alarms, retrain nothing.

    Example: gleis monitor
    """
    opened = open_project(project)
    tick, summary = opened.monitor()
    if as_json:
        print_json({"tick": tick, "monitors": summary})
        return
    say(f"{tick.predictions:,} new predictions, {tick.labels:,} new labels")
    for alarm in tick.alarms:
        say(f"  alarm   {alarm.message}", style="red")
    for alarm in tick.recorded:
        say(f"  recorded   {alarm.message}")
    for line in summary_lines(summary):
        say(line)


def summary_lines(summary: Mapping[str, object]) -> list[str]:
    """Write a summary of the monitors, one line a figure."""
    return _lines(summary, "  ")


def _lines(values: Mapping[str, object], indent: str) -> list[str]:
    lines = []
    width = max([22 - len(indent), *(len(name) for name in values)])
    for name, value in values.items():
        if name == "estimate" and isinstance(value, dict):
            lines += estimate_lines(value, indent)
        elif name in _CHANGED and isinstance(value, dict) and value:
            lines.append(f"{indent}{name.replace('_', ' ')}")
            lines += [f"{indent}  {change['in_words']}" for change in value.values()]
        elif isinstance(value, dict) and value:
            known = _strongest(value) if name == "evidence" else value
            lines += [f"{indent}{name}{_UNITS.get(name, '')}", *_lines(known, indent + "  ")]
            if len(known) < len(value):
                lines.append(f"{indent}  and {len(value) - len(known)} weaker; --json has them all")
        else:
            lines.append(f"{indent}{name:<{width}} {_short(value)}")
    return lines


def _strongest(evidence: Mapping[str, float]) -> dict[str, float]:
    found = sorted(evidence.items(), key=lambda item: -item[1])
    return dict(found[:_SHOWN])


def _short(value: object) -> str:
    if value is None or value == {}:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return f"{len(value)} of them; --json has them all"
    if isinstance(value, Figure):
        return f"{value.value:.4f} ({value.low:.4f} to {value.high:.4f})"
    return f"{value:,}" if isinstance(value, int) else str(value)


def status(
    project: Folder = ".",  # type: ignore[assignment]
    at: Annotated[
        str | None, typer.Option(help="Say only what was live at this moment (ISO 8601, UTC).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is live and what was decided last; or what was live.

    Example: gleis status --at 2013-07-04T12:00
    """
    opened = open_project(project)
    if at is not None:
        _was_live(
            Deployments(opened.home, opened.clock).live_at(parse_moment(at, "--at")), at, as_json
        )
        return
    found = opened.status()
    if as_json:
        print_json(found)
        return
    for line in summary_lines({name: _moment(name, value) for name, value in found.items()}):
        say(line)


def _moment(name: str, value: object) -> object:
    """Write a moment for people; in JSON it stays exact."""
    if name not in _MOMENTS or value is None:
        return value
    return f"{datetime.fromisoformat(str(value)):%Y-%m-%d %H:%M} UTC"


def _was_live(deployment: Deployment | None, at: str, as_json: bool) -> None:
    if as_json:
        print_json({"at": at, "live": deployment})
    elif deployment is None:
        say(f"Nothing was live at {at}.")
    else:
        version = deployment.version
        say(f"At {at} version {version.number} of run {version.run} was live,")
        say(f"  since {deployment.at:%Y-%m-%d %H:%M}: {deployment.reason}")
        say(f"  package {version.digest}")


def doctor(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """Check settings, module, state, ledger and live packages.

    Exits with 1 if a check fails.

    Example: gleis doctor
    """
    from gleis.lifecycle.doctor import examine_project  # loads what it checks

    with working("Looking at settings, state, ledger and packages"):
        checks = examine_project(project)
    failed = [check for check in checks if not check.ok]
    if as_json:
        print_json({"ok": not failed, "checks": checks})
    else:
        print_table(
            ["", "check", "found"],
            [("ok" if check.ok else "FAILED", check.name, check.found) for check in checks],
        )
    if failed:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(monitor)
    app.command()(status)
    app.command()(doctor)
