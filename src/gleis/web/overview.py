"""What the overview page shows, gathered from the ledger, the log and what the loop wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.live_figures import LiveFigures
from gleis.contracts.run import Run
from gleis.lifecycle.alarms.alarms import ProjectAlarms, StandingAlarm
from gleis.lifecycle.decided import say_decision
from gleis.lifecycle.journal import Journal
from gleis.registry.callers import Callers
from gleis.registry.deployments import Deployments
from gleis.registry.releases import Releases
from gleis.store.home import Home
from gleis.store.live_figures import read_figures
from gleis.web.rendering import figure

_NEWEST = 20
_SAID = 5
"""Ratings that are shown."""
_CLOSED = {"resolved", "recorded"}


def overview(settings: Settings, home: Home) -> dict[str, Any]:
    """Return the values of the overview page."""
    clock = SystemClock()
    journal = Journal(home.facts)
    deployments = Deployments(home, clock)
    now = datetime.now(UTC)
    alarms = _open_first(ProjectAlarms(settings, home, clock, journal).all())
    ratings = home.feedback.summary()
    return {
        "name": settings.project.name,
        "project": settings.project,
        "now": now,
        "live": deployments.champion(),
        "release": Releases(home, clock, deployments).running(),
        "counts": home.log.counts(),
        "figures": live_tiles(read_figures(home.states)),
        "versions": _versions(home, deployments),
        "alarms": alarms[:_NEWEST],
        "alarm_count": len(alarms),
        "open_alarms": sum(one.state.status not in _CLOSED for one in alarms),
        "decisions": [
            (decision, say_decision(decision)) for decision in journal.decisions()[::-1][:_NEWEST]
        ],
        "failures": [t for t in journal.trainings() if t.error][::-1][:5],
        "feedback": home.feedback.newest(_SAID),
        "ratings": sum(one.count for one in ratings),
        "callers": [(one, one.refusal(now)) for one in Callers(home, clock).all()],
        "reports": sorted((path.name for path in home.reports.glob("*.html")), reverse=True),
    }


def live_tiles(written: LiveFigures | None) -> list[tuple[str, str]]:
    """Return what the loop expects of answers without labels, and how many labels came.

    Returns
    -------
    list of (str, str)
        What it is, and its value.
    """
    if written is None:
        return []
    found = []
    for one in written.figures:
        if one.name == "gleis_estimated_performance":
            found.append((f"estimated {one.labels.get('figure', 'loss')}", figure(one.value)))
        elif one.name == "gleis_label_coverage":
            found.append(("answers with a label", f"{one.value:.1%}"))
    return found


def _open_first(alarms: list[StandingAlarm]) -> list[StandingAlarm]:
    """Return alarms, those that somebody has to see to first, and of these the newest."""
    newest = sorted(alarms, key=lambda one: one.alarm.at, reverse=True)
    return sorted(newest, key=lambda one: one.state.status in _CLOSED)


def _versions(home: Home, deployments: Deployments) -> list[dict[str, Any]]:
    versions = home.facts.decoded("version", Version)[-_NEWEST:]
    aliases: dict[int, list[str]] = {}
    for alias, deployment in deployments.aliases().items():
        aliases.setdefault(deployment.version.number, []).append(alias)
    return [
        {
            "version": version,
            "aliases": aliases.get(version.number, []),
            "run": _run(home, version.run),
        }
        for version in reversed(versions)
    ]


def _run(home: Home, name: str) -> Run | None:
    """Return a run; of all that there are only those that are shown are read."""
    body = home.facts.latest("run", name)
    return None if body is None else msgspec.json.decode(body, type=Run)
