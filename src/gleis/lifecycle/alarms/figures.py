"""What ``/metrics`` says of alarms and of those who are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from gleis.contracts.alarm import AlarmKind
from gleis.contracts.notice import ReceiverKind, kind_of
from gleis.lifecycle.alarms.alarms import ProjectAlarms
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.workbench import Workbench

_OUTCOMES = ("delivered", "failed", "refused", "given up", "withdrawn")


def alarm_figures(
    bench: Workbench, journal: Journal
) -> Iterator[tuple[str, float, dict[str, str]]]:
    """Return what is open by kind, and what came of attempts to tell of it.

    Parameters
    ----------
    bench : Workbench
    journal : Journal
        Of the same project; one that is kept reads only what is new.

    Returns
    -------
    iterator of (str, float, dict)
        Name, value and labels: ``gleis_alarms_open`` of every kind, ``gleis_alarm_deliveries`` of
        every kind of receiver that was ever told something.
    """
    alarms = ProjectAlarms(bench.settings, bench.home, bench.clock, journal)
    standing = Counter(one.alarm.kind for one in alarms.standing() if one.state.status == "open")
    for kind in get_args(AlarmKind):
        yield "gleis_alarms_open", standing[kind], {"kind": kind}
    attempts = _attempts(journal, alarms)
    told = {receiver for receiver, _ in attempts}
    for receiver in get_args(ReceiverKind):
        for outcome in _OUTCOMES if receiver in told else ():
            labels = {"receiver": receiver, "outcome": outcome.replace(" ", "_")}
            yield "gleis_alarm_deliveries", attempts[receiver, outcome], labels


def _attempts(journal: Journal, alarms: ProjectAlarms) -> Counter[tuple[str, str]]:
    """Count attempts by kind of receiver and outcome; those of what still waits failed."""
    found: Counter[tuple[str, str]] = Counter()
    for told in journal.told():
        found[told.kind, told.outcome] += 1
        found[told.kind, "failed"] += max(0, told.attempts - 1)
    for waiting in alarms.untold():
        # The attempt under way is not counted before it has ended.
        ended = waiting.attempts if waiting.said else max(0, waiting.attempts - 1)
        found[kind_of(waiting.receiver), "failed"] += ended
    return found
