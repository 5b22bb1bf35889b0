"""What ``/metrics`` says of alarms and of those who are told."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from gleis.contracts.alarm import AlarmKind
from gleis.contracts.live_figures import LiveFigure
from gleis.contracts.notice import ReceiverKind
from gleis.lifecycle.alarms import ProjectAlarms
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.delivery.receiver import kind_of

_OPEN = "Alarms that are neither acknowledged, snoozed nor resolved."
_DELIVERIES = (
    "Attempts to tell a receiver: delivered, failed (tried again), refused, given up, withdrawn."
)
_OUTCOMES = ("delivered", "failed", "refused", "given up", "withdrawn")


def alarm_figures(bench: Workbench) -> list[LiveFigure]:
    """Return what is open by kind, and what came of attempts to tell of it.

    ``gleis_alarms_open{kind}`` is there for every kind, ``gleis_alarm_deliveries_total{receiver,
    outcome}`` for every kind of receiver that was ever told something.
    """
    alarms = ProjectAlarms(bench.settings, bench.home, bench.clock)
    standing = Counter(one.alarm.kind for one in alarms.standing() if one.state.status == "open")
    figures = [
        LiveFigure(
            name="gleis_alarms_open", value=standing[kind], labels={"kind": kind}, help=_OPEN
        )
        for kind in get_args(AlarmKind)
    ]
    attempts = _attempts(bench, alarms)
    told = {receiver for receiver, _ in attempts}
    return figures + [
        LiveFigure(
            name="gleis_alarm_deliveries",
            value=attempts[receiver, outcome],
            labels={"receiver": receiver, "outcome": outcome.replace(" ", "_")},
            help=_DELIVERIES,
            kind="counter",
        )
        for receiver in get_args(ReceiverKind)
        if receiver in told
        for outcome in _OUTCOMES
    ]


def _attempts(bench: Workbench, alarms: ProjectAlarms) -> Counter[tuple[str, str]]:
    """Count attempts by kind of receiver and outcome; those of what still waits failed."""
    found: Counter[tuple[str, str]] = Counter()
    for told in Journal(bench.home.facts).told():
        found[told.kind, told.outcome] += 1
        found[told.kind, "failed"] += max(0, told.attempts - 1)
    for waiting in alarms.untold():
        # The attempt under way is not counted before it has ended.
        ended = waiting.attempts if waiting.said else max(0, waiting.attempts - 1)
        found[kind_of(waiting.receiver), "failed"] += ended
    return found
