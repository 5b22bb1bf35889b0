"""Whether features changed together, looked at once a night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from gleis.config.durations import parse_duration
from gleis.contracts.alarm import Alarm
from gleis.contracts.live_figures import LiveFigure
from gleis.contracts.ports import Columns
from gleis.contracts.run import Run
from gleis.evidence.explain.coding import Coding
from gleis.lifecycle.observers.observer import Watched
from gleis.lifecycle.triggers import next_scheduled
from gleis.monitoring.joint.compare import LEAST, Sides, Told, compare_sides
from gleis.monitoring.joint.nights import JointMonitor
from gleis.monitoring.joint.telling import Matrix, Method
from gleis.monitoring.packing import decode_state
from gleis.monitoring.promise import Trial, go_on, start_trial
from gleis.store.log.erasing import kept_rows
from gleis.store.log.logged import Logged, Matched

_PLACES = 200
"""Places of the log that a night's rows are taken from."""
_PART = 10
"""Each night takes at most a tenth of the reference rows that no night has seen."""


class _State(msgspec.Struct, frozen=True):
    last: datetime
    used: int
    monitor: bytes
    told: Told | None
    note: str | None


class Joint:
    """Compares a night's answers with training rows, by how features go together.

    What tells them apart is learned on the answers of the window before and on training rows, and
    is tried on the answers since the last look and on training rows that no look has seen: each is
    used once, so that a reference that happens to be odd is no evidence, night after night.

    Parameters
    ----------
    watched : Watched
    """

    def __init__(self, watched: Watched) -> None:
        self._bench = watched.bench
        self._settings = watched.bench.settings.monitor
        self._version = watched.version
        self._coding = Coding(watched.parts.contract)
        state = decode_state(watched.kept, _State) if watched.kept is not None else None
        self._last = state.last if state else watched.now
        self._used = state.used if state else 0
        self._told = state.told if state else None
        self._note: str | None = state.note if state else None
        self._monitor = (
            JointMonitor.from_bytes(state.monitor) if state else JointMonitor(_trial(watched))
        )
        self._rows: Matrix | None = None

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """Nothing: a night's rows are taken from the log when the night has come."""

    def alarms(self, now: datetime) -> Sequence[Alarm]:
        """Look, if it is time."""
        if now < next_scheduled(self._settings.joint_at, self._last):
            return ()
        since, self._last = self._last, now
        self._note = self._look(since, now)
        if not self._monitor.alarms or self._told is None:
            return ()
        evidence, trial = self._monitor.evidence, self._monitor.trial
        self._monitor.tell(now)
        return (self._alarm(self._told, evidence, trial.threshold, trial.promise.words, now),)

    def summary(self) -> dict[str, Any]:
        """Return the evidence and what the last night told."""
        found: dict[str, Any] = {
            "nights": self._monitor.nights,
            "evidence": self._monitor.evidence,
            "threshold": self._monitor.trial.threshold,
            "promise": self._monitor.trial.promise.words,
        }
        if self._told is not None:
            found |= {"auc": self._told.auc, "changed most": self._pair(self._told)}
        return found if self._note is None else found | {"note": self._note}

    def figures(self) -> Sequence[LiveFigure]:
        """Return the evidence and the AUC of the last night."""
        return (
            LiveFigure(
                name="gleis_joint_evidence",
                value=self._monitor.evidence,
                help="log10 of the evidence that features go together differently than in "
                "training.",
            ),
            LiveFigure(
                name="gleis_joint_auc",
                value=self._monitor.auc,
                help="How well last night's rows could be told from training rows by how features "
                "go together; 0.5 is not at all.",
            ),
        )

    def to_bytes(self) -> bytes:
        """Return the state."""
        state = _State(self._last, self._used, self._monitor.to_bytes(), self._told, self._note)
        return msgspec.msgpack.encode(state)

    def _look(self, since: datetime, now: datetime) -> str | None:
        """Compare; return why not, if not."""
        window = parse_duration(self._settings.window, "monitor.window")
        night = self._served(since, now)
        before = self._served(since - window, since)
        reference = self._reference()
        half = len(reference) // 2
        left = len(reference) - half - self._used
        rows = min(len(night), left // _PART)
        if min(len(night), len(before), rows) < LEAST:
            return (
                f"not compared: {len(night):,} answers since {since:%Y-%m-%d %H:%M}, "
                f"{len(before):,} before, {left:,} fresh training rows; at least {LEAST} of the "
                f"first two and {LEAST * _PART} of the last are needed"
            )
        fresh = reference[half + self._used :][:rows]
        self._used += rows
        learn = Sides(before, reference[:half][: len(before)])
        method: Method = "classifier" if self._settings.joint == "classifier" else "energy"
        rng = np.random.default_rng((self._bench.settings.seed, self._version.number, self._used))
        self._told = compare_sides(learn, Sides(night[:rows], fresh), method, rng)
        self._monitor.update(self._told)
        return None

    def _reference(self) -> Matrix:
        """Training rows in a random order; the first half teaches, the others are tried once."""
        if self._rows is None:
            body = self._bench.home.facts.latest("run", self._version.run)
            if body is None:
                self._rows = np.empty((0, len(self._coding.names)))
                return self._rows
            frame = self._bench.read(msgspec.json.decode(body, type=Run).dataset)
            frame = frame.sample(fraction=1.0, shuffle=True, seed=self._bench.settings.seed)
            self._rows = self._encode({n: frame[n].to_list() for n in self._coding.names})
        return self._rows

    def _served(self, since: datetime, until: datetime) -> Matrix:
        """At most ``monitor.joint_rows`` rows answered in a stretch, from all over it."""
        log, wanted = self._bench.home.log, self._settings.joint_rows
        first, last = log.since(since)[0], log.since(until)[0]
        columns: dict[str, list[Any]] = {name: [] for name in self._coding.names}
        places = np.unique(np.linspace(first, last, _PLACES + 1).astype(np.int64)).tolist()
        for after, until_entry in pairwise(places):
            each = max(1, wanted // (len(places) - 1))
            for logged in log.read(after, each):
                features = kept_rows(logged.batch).features
                if logged.seq <= until_entry and features.keys() >= columns.keys():
                    for name, values in columns.items():
                        values.extend(features[name][:each])
        return self._encode(columns)

    def _encode(self, columns: Columns) -> Matrix:
        return self._coding.knowing(columns).encode(columns)

    def _pair(self, told: Told) -> str:
        if told.pair is None:
            return "-"
        first, second = (self._coding.names[place] for place in told.pair)
        return f"{first} and {second}: correlation {told.before:.2f} -> {told.after:.2f}"

    def _alarm(
        self, told: Told, evidence: float, threshold: float, promise: str, now: datetime
    ) -> Alarm:
        names = [self._coding.names[place] for place in told.pair or ()]
        return Alarm(
            id=f"joint-v{self._version.number}-{now:%Y%m%dT%H%M%S}",
            kind="joint",
            at=now,
            subject=" and ".join(names) or "features",
            also=(),
            evidence=evidence,
            threshold=threshold,
            promise=promise,
            effect=abs(told.auc - 0.5),
            since=None,
            rows=self._used,
            version=self._version.number,
            message=f"features go together differently than in training: {self._pair(told)}; by "
            f"that alone rows of now can be told from then (AUC {told.auc:.2f}, 0.5 is not at "
            f"all); evidence 10^{evidence:.1f}, alarm at 10^{threshold:.1f}; {promise}",
        )


def make_joint(watched: Watched) -> Joint | None:
    """Make the observer, where rows can be compared one by one.

    In a backtest's inner runs it is left out: it starts no retraining, so it decides nothing there.
    """
    settings = watched.bench.settings
    drift = settings.triggers.drift
    alike = drift is not None and drift.block is not None
    if settings.monitor.joint == "none" or alike or watched.bench.asked_only:
        return None
    if len(watched.parts.contract.names) < 2:
        return None
    return Joint(watched)


def _trial(watched: Watched) -> Trial:
    former = None
    if watched.former is not None:
        former = JointMonitor.from_bytes(decode_state(watched.former, _State).monitor).trial.promise
    return start_trial(go_on(watched.rate, watched.now, former), watched.now)
