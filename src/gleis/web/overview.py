"""What the overview page shows, gathered from the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.run import Run
from gleis.lifecycle.journal import Journal
from gleis.registry.deployments import Deployments
from gleis.store.home import Home

_NEWEST = 20


def overview(settings: Settings, home: Home) -> dict[str, Any]:
    """Return the values of the overview page."""
    journal = Journal(home.facts)
    deployments = Deployments(home, SystemClock())
    runs = [msgspec.json.decode(body, type=Run) for body in home.facts.all("run")]
    alarms = journal.alarms()
    by_id = {run.id: run for run in runs}
    versions = [msgspec.json.decode(b, type=Version) for b in home.facts.all("version")]
    aliases: dict[int, list[str]] = {}
    for alias, deployment in deployments.aliases().items():
        aliases.setdefault(deployment.version.number, []).append(alias)
    return {
        "project": settings.project,
        "now": datetime.now(UTC),
        "live": deployments.champion(),
        "counts": home.log.counts(),
        "versions": [
            {
                "version": version,
                "aliases": aliases.get(version.number, []),
                "run": by_id.get(version.run),
            }
            for version in reversed(versions[-_NEWEST:])
        ],
        "alarms": alarms[::-1][:_NEWEST],
        "alarm_count": len(alarms),
        "decisions": journal.decisions()[::-1][:_NEWEST],
        "failures": [t for t in journal.trainings() if t.error][::-1][:5],
        "reports": sorted((path.name for path in home.reports.glob("*.html")), reverse=True),
    }
