"""What is live, what was decided last and what waits. Light: no table or model library."""

from __future__ import annotations

from typing import Any

from gleis.config.settings import Settings
from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.lifecycle.alarms.alarms import ProjectAlarms
from gleis.lifecycle.decided import say_decision
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.triggers import next_scheduled
from gleis.registry.deployments import Deployments
from gleis.store.home import Home


def status(settings: Settings, home: Home, clock: Clock) -> dict[str, Any]:
    """Return the project's state as plain values, for people and programs."""
    journal = Journal(home.facts)
    live = Deployments(home, clock).champion()
    trained = journal.last_trained()
    counts = home.log.counts()
    decision = journal.last_decision()
    alarms = journal.alarms()
    standing = ProjectAlarms(settings, home, clock, journal).standing()
    schedule = settings.triggers.schedule
    due = next_scheduled(schedule, trained.at) if schedule and trained else None
    return {
        "project": settings.project.name,
        "champion": _version(live.version) if live else "none yet: gleis run",
        "since": live.at.isoformat() if live else None,
        "reason": live.reason if live else None,
        "versions": len(home.facts.keys("version")),
        "log": {
            "predictions": counts.predictions,
            "labels": counts.labels,
            "matched": counts.matched,
            "pending labels": counts.pending,
            "fallbacks": counts.fallbacks,
        },
        "alarms": len(alarms),
        "open alarms": sum(one.state.status == "open" for one in standing),
        "last alarm": f"{alarms[-1].at:%Y-%m-%d %H:%M} {alarms[-1].message}" if alarms else None,
        "last decision": f"{decision.at:%Y-%m-%d %H:%M} {say_decision(decision)}"
        if decision
        else None,
        "last training": trained.at.isoformat() if trained else None,
        "last failure": trained.error if trained and trained.error else None,
        "next scheduled": due.isoformat() if due else None,
    }


def _version(version: Version) -> str:
    passed = "gates passed" if version.passed else "gates failed"
    return f"version {version.number} ({passed}), {version.digest[:12]}"
