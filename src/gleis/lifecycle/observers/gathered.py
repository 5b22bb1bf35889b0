"""All observers of the champion as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gleis.contracts.alarm import Alarm, Expected
from gleis.contracts.deployment import Version
from gleis.contracts.live_figures import LiveFigure
from gleis.lifecycle.observers.observer import Foreseeing, Observer, Watched
from gleis.lifecycle.observers.registered import OBSERVERS, TESTING
from gleis.lifecycle.parts import Parts
from gleis.lifecycle.workbench import Workbench
from gleis.store.log.logged import Logged, Matched


class Observers:
    """Hands what is new to each observer, and gathers what they say.

    Parameters
    ----------
    bench : Workbench
    version : Version
        The champion.
    parts : Parts
        Of its package.
    now : datetime
    kept : mapping of str to bytes
        By name, what each kept for this version.
    former : mapping of str to bytes
        By name, what each kept for the version before.
    """

    def __init__(
        self,
        bench: Workbench,
        version: Version,
        parts: Parts,
        now: datetime,
        kept: Mapping[str, bytes] | None = None,
        former: Mapping[str, bytes] | None = None,
    ) -> None:
        self._all: dict[str, Observer] = {}
        count, _, period = bench.settings.monitor.false_alarms.strip().partition(" ")
        rate = f"{float(count) / len(TESTING):.12f}".rstrip("0").rstrip(".") + f" {period}"
        for name, make in OBSERVERS.items():
            made = make(
                Watched(
                    bench=bench,
                    version=version,
                    parts=parts,
                    now=now,
                    rate=rate,
                    kept=(kept or {}).get(name),
                    former=(former or {}).get(name),
                )
            )
            if made is not None:
                self._all[name] = made

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """Let each see what is new."""
        for observer in self._all.values():
            observer.see(batches, matched, now)

    def alarms(self, now: datetime) -> list[Alarm]:
        """Return what they must tell."""
        return [alarm for observer in self._all.values() for alarm in observer.alarms(now)]

    def expected(self, since: datetime | None) -> Expected | None:
        """Return what a change since a moment is expected to do; None if nobody knows."""
        for observer in self._all.values():
            if isinstance(observer, Foreseeing):
                return observer.expected(since)
        return None

    def summary(self) -> dict[str, Any]:
        """Return what each sums up, by name."""
        return {name: observer.summary() for name, observer in self._all.items()}

    def figures(self) -> list[LiveFigure]:
        """Return the values of all."""
        return [figure for observer in self._all.values() for figure in observer.figures()]

    def kept(self) -> dict[str, bytes]:
        """Return the state of each, by name."""
        return {name: observer.to_bytes() for name, observer in self._all.items()}
