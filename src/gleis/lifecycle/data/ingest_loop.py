"""The loop's intake: sources with ``every`` are read when they are due."""

from __future__ import annotations

import logging
from datetime import datetime

from gleis.config.durations import parse_duration
from gleis.contracts.errors import GleisError
from gleis.contracts.ingest import Ingested, Left
from gleis.data.sources.settled import WRITING
from gleis.lifecycle.data.ingest import ingest
from gleis.lifecycle.data.source_alarms import SourceAlarms
from gleis.lifecycle.workbench import Workbench

_log = logging.getLogger(__name__)


class Intake:
    """Reads the sources of a project's datasets beside its own, each as often as it says.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._every = {
            name: parse_duration(found.every, f"datasets.{name}.every")
            for name, found in bench.settings.datasets.items()
            if found.every is not None
        }
        self._due: dict[str, datetime] = {}
        self._said: dict[str, Ingested] = {}
        self._alarms = SourceAlarms(bench.home)

    def look(self, now: datetime) -> list[Ingested]:
        """Take in what is new where it is due; return what is worth telling.

        A source that fails is told once, as long as it fails in the same way, and tried again when
        it is due next; the loop goes on. One that fails for an hour raises an alarm.
        """
        found = []
        for name, every in self._every.items():
            if now >= self._due.get(name, now):
                self._due[name] = now + every
                told = self._take(name)
                if _is_news(told, self._said.get(name)):
                    found.append(told)
                    if told.failed is not None:
                        _log.warning("%s was not taken in: %s", name, told.failed)
                self._said[name] = told
                alarm = self._alarms.look(name, told.failed, now)
                if alarm is not None:
                    _log.warning("alarm: %s", alarm.message)
        return found

    def _take(self, name: str) -> Ingested:
        try:
            return ingest(self._bench, name, wait=False)
        except GleisError as error:
            latest = self._bench.dataset(name).latest()
            return Ingested(dataset=name, latest=latest, failed=str(error))


def _is_news(found: Ingested, before: Ingested | None) -> bool:
    if found.made or found.set_aside:
        return True
    told = (found.failed, _stays(found))
    return told != (None, []) and (before is None or told != (before.failed, _stays(before)))


def _stays(found: Ingested) -> list[Left]:
    """Return what is left for more than a moment."""
    return [left for left in found.left if left.reason != WRITING]
