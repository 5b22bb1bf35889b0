"""The monitors of the champion, fed from the log and kept between ticks and processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from gleis.contracts.alarm import Alarm
from gleis.contracts.evidence import Evidence
from gleis.contracts.live_figures import LiveFigure
from gleis.contracts.version import VERSION
from gleis.lifecycle.alarms.alarms import resolve_answered
from gleis.lifecycle.alarms.meaning import give_meaning
from gleis.lifecycle.checking import Checking, Pending
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.live_figures import FigureKeeper
from gleis.lifecycle.observers.gathered import Observers
from gleis.lifecycle.parts import read_parts
from gleis.lifecycle.results import Tick
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.promise import Promise
from gleis.monitoring.watch import Watch, WatchKind
from gleis.store.lock import LOOP
from gleis.store.log.logged import Logged, Matched

_KEY = "watching"
_FORM = 5
"""Raised when monitors keep something else: what was kept before is then not gone on from."""
_ROWS = 20_000
_ROUNDS = 100
"""Readings in one look: a log that grows as fast as it is read must not keep triggers waiting."""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the log brought."""

    predictions: int = 0
    labels: int = 0
    alarms: tuple[Alarm, ...] = ()
    recorded: tuple[Alarm, ...] = ()
    """Drifts that are sure and harmless: written down, and nobody is told."""
    checked: tuple[Alarm, ...] = ()
    """Earlier alarms that the later check has now confirmed or not."""
    gone: tuple[Alarm, ...] = ()
    """Confirmed alarms whose change has gone."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The state between processes, written in one piece."""

    made_by: str = ""
    """See ``_maker``: monitors of another maker start anew, cursors go on."""
    version: int
    seen: int
    """Log entries up to here were read."""
    matched: int
    """Matches up to here were read."""
    labels: int
    watch: bytes
    promises: dict[WatchKind, Promise]
    pending: tuple[Pending, ...]
    observers: dict[str, bytes] = {}


class Watching:
    """Reads what is new in the log and hands it to the monitors of the champion.

    When the champion changes, by whatever hand, the monitors start anew on its reference; the
    account of false alarms goes along.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        body = bench.home.states.get(_KEY)
        self._written = body
        kept = msgspec.msgpack.decode(body, type=_Kept) if body is not None else None
        self._seen = kept.seen if kept else 0
        self._matched = kept.matched if kept else 0
        self.labels = kept.labels if kept else 0
        """Predictions matched with their truth so far, each once."""
        self._promises = kept.promises if kept else {}
        same = kept is not None and kept.made_by.startswith(_form())
        self._former = kept.observers if kept is not None and same else {}
        self._watch: Watch | None = None
        self._observers: Observers | None = None
        self._evidence: Evidence | None = None
        self._checking = Checking(bench, kept.pending if kept else ())
        if kept is not None:
            self._restore(kept)

    def observe(self, now: datetime) -> News:
        """Read on, and return what the monitors say."""
        followed = self._follow(now)
        if followed is None:
            return News()
        watch, observers = followed
        alarms: list[Alarm] = []
        predictions = labels = 0
        for _ in range(_ROUNDS):
            batches = self._bench.home.log.read(self._seen, _ROWS)
            matched = self._bench.home.log.matched(self._matched, _ROWS)
            if not batches and not matched:
                break
            self._advance(batches, matched)
            predictions += sum(logged.batch.rows for logged in batches)
            labels += sum(not one.relabelled for one in matched)
            self._checking.see(batches)
            observers.see(batches, matched, now)
            told = watch.observe(batches, matched, now, self._meant)
            alarms += [_counted(alarm, self.labels + labels) for alarm in told]
        recorded = [alarm for alarm in alarms if watch.is_record(alarm)]
        alarms = [alarm for alarm in alarms if not watch.is_record(alarm)]
        alarms += observers.alarms(now)
        self.labels += labels
        self._checking.add(alarms)
        said = self._checking.conclude(now, watch.version)
        for alarm in (*(one for one in said.checked if not one.confirmed), *said.gone):
            if alarm.version == watch.version:
                watch.rearm(over=alarm)
        return News(
            predictions=predictions,
            labels=labels,
            alarms=tuple(alarms),
            recorded=tuple(recorded),
            checked=said.checked,
            gone=said.gone,
        )

    def rearm(self) -> None:
        """Let every column alarm again; a retraining was the answer to what it told."""
        if self._watch is not None:
            self._watch.rearm()

    def keep(self) -> None:
        """Write the state: the next process goes on exactly here."""
        if self._watch is None or self._observers is None:
            return
        kept = _Kept(
            made_by=_maker(self._bench),
            version=self._watch.version,
            seen=self._seen,
            matched=self._matched,
            labels=self.labels,
            watch=self._watch.to_bytes(),
            promises=self._watch.promises,
            pending=self._checking.pending,
            observers=self._observers.kept(),
        )
        body = msgspec.msgpack.encode(kept)
        if body != self._written:  # a quiet service writes nothing
            self._bench.home.states.put(_KEY, body)
            self._written = body

    def summary(self) -> dict[str, Any]:
        """Return the monitors' state in plain types; empty before the first champion."""
        if self._watch is None or self._observers is None:
            return {}
        return self._watch.summary() | self._observers.summary()

    @property
    def evidence(self) -> Evidence | None:
        """What was known of the champion when it was judged; None before the first one."""
        return self._evidence

    def figures(self) -> list[LiveFigure]:
        """Return the values that observers keep, for ``/metrics``."""
        return [] if self._observers is None else self._observers.figures()

    def _advance(self, batches: Sequence[Logged], matched: Sequence[Matched]) -> None:
        if batches:
            self._seen = batches[-1].seq
        if matched:
            self._matched = matched[-1].cursor

    def _meant(self, alarm: Alarm) -> Alarm:
        """Say what the change means to the model."""
        if self._observers is None or self._evidence is None:
            return alarm
        expected = self._observers.expected(alarm.since)
        return give_meaning(alarm, self._evidence, expected, self._bench.settings.triggers)

    def _follow(self, now: datetime) -> tuple[Watch, Observers] | None:
        """Return what watches the present champion."""
        live = self._bench.deployments.champion()
        if live is None:
            return None
        changed = self._watch is None or self._watch.version != live.version.number
        if self._watch is None or self._observers is None or changed:
            parts = read_parts(self._bench, live.version)
            self._evidence = parts.evidence
            former = self._observers.kept() if self._observers else self._former
            self._observers = Observers(self._bench, live.version, parts, now, former=former)
            promises = self._watch.promises if self._watch else self._promises
            settings = self._bench.settings
            self._watch = Watch(
                parts.reference,
                parts.contract,
                settings.triggers,
                version=live.version.number,
                now=now,
                seed=settings.seed,
                promises=promises,
                season=settings.monitor.season,
            )
        return self._watch, self._observers

    def _restore(self, kept: _Kept) -> None:
        live = self._bench.deployments.champion()
        if live is None or live.version.number != kept.version:
            return
        if kept.made_by != _maker(self._bench):
            return
        parts, now = read_parts(self._bench, live.version), self._bench.clock.now()
        settings = self._bench.settings
        self._evidence = parts.evidence
        self._watch = Watch.from_bytes(
            kept.watch,
            parts.reference,
            parts.contract,
            settings.triggers,
            now=now,
            seed=settings.seed,
            season=settings.monitor.season,
        )
        self._observers = Observers(self._bench, live.version, parts, now, kept.observers)


def _counted(alarm: Alarm, labels: int) -> Alarm:
    """Say how many labels there were before the change, if labels showed it."""
    if alarm.kind != "performance" or alarm.rows_since is None:
        return alarm
    return msgspec.structs.replace(alarm, labels_before=labels - alarm.rows_since)


def _maker(bench: Workbench) -> str:
    """Name what a monitor's state cannot outlive: gleis's version, its form, rows' grouping."""
    drift, loss = bench.settings.triggers.drift, bench.settings.triggers.performance
    blocks = (drift.block if drift else None, loss.block if loss else None)
    labels = loss.labels if loss else "all"
    return f"{_form()}{blocks} {labels} {bench.settings.monitor.season}"


def _form() -> str:
    """Name what the bytes of a state can be read by."""
    return f"{VERSION} {_FORM} "


def look(bench: Workbench) -> tuple[Tick, dict[str, Any]]:
    """Look once, record alarms, retrain nothing; return what was found and the state.

    While another process runs the loop, the look is its own: what it kept last is returned.
    """
    now = bench.clock.now()
    lock = bench.home.lock(LOOP)
    if not lock.try_take():
        state = {"note": "another process runs the loop; this is what it saw last"}
        return Tick(at=now, predictions=0, labels=0), state | Watching(bench).summary()
    try:
        return _look(bench, now)
    finally:
        lock.release()


def _look(bench: Workbench, now: datetime) -> tuple[Tick, dict[str, Any]]:
    started = time.perf_counter()
    watching, journal = Watching(bench), Journal(bench.home.facts)
    news = watching.observe(now)
    journal.write_news(news.alarms, news.checked, news.recorded)
    resolve_answered(journal, bench.deployments.champion(), now, news.gone)
    watching.keep()
    FigureKeeper(bench).looked(watching, time.perf_counter() - started)
    tick = Tick(
        at=now,
        predictions=news.predictions,
        labels=news.labels,
        alarms=news.alarms,
        recorded=news.recorded,
    )
    return tick, watching.summary()
