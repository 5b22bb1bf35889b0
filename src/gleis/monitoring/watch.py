"""All monitors of one model version, fed from the prediction log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Literal

import msgspec
import numpy as np

from gleis.config.durations import parse_duration
from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.contracts.alarm import Alarm, Moved
from gleis.contracts.contract import Contract
from gleis.contracts.prediction import Batch
from gleis.contracts.profile import Reference, SeasonEvery, Seasons
from gleis.data.target import name_targets
from gleis.evidence.losses import score_columns
from gleis.monitoring.columns import LABEL, make_columns
from gleis.monitoring.labelled import read_matches
from gleis.monitoring.moved import describe_move, plain_move
from gleis.monitoring.multiplicity import combine, find_also, find_sure
from gleis.monitoring.packing import decode_state
from gleis.monitoring.performance import PerformanceMonitor
from gleis.monitoring.promise import Promise, Trial, go_on, start_trial
from gleis.monitoring.telling import say_since, write_message
from gleis.store.log.logged import Logged, Matched

WatchKind = Literal["drift", "performance"]
Trials = dict[WatchKind, Trial]
_DOUBT = 0.5
"""log10 of the evidence that the loss has risen from which on no drift is called harmless."""
Meaning = Callable[[Alarm], Alarm]
"""Completes a drift alarm with what it means; sets ``harmless`` where that is known."""


class Counts(msgspec.Struct, kw_only=True):
    """What passed by."""

    answered: int = 0
    """Rows answered by the watched version itself."""
    labelled: int = 0
    """Of these, rows whose truth came, each once."""
    unusable: int = 0
    """Labels that are no class of the contract, or no number."""
    unwatched: int = 0
    """Rows answered from other features than this version's."""
    flags: dict[str, int] = {}
    """Rows by flag: ``distance: out of range``."""


class _State(msgspec.Struct, frozen=True):
    version: int
    started: datetime
    columns: list[bytes]
    performance: bytes
    trials: Trials
    counts: Counts
    told: dict[str, Moved]
    recorded: dict[str, Moved]


class Watch:
    """Watches features, scores and losses of a model version.

    Features and scores share one promise (``drift``), the loss has its own (``performance``). An
    alarm needs both certainty, evidence of ``1 / alpha`` over all columns, and size, the trigger's
    ``min_effect``; a sure but small change is listed in `summary`. A column alarms once: it is
    tested anew, and quiet, until `rearm` or the next version. Nobody is told the same thing daily.

    A sure and large change that is surely harmless (see `observe`) is recorded once instead of
    alarming. Its test goes on with all its evidence, charged once: should the change grow until
    it is harmless no longer, or nobody can say so any more, it alarms then. Labels know better than
    what is expected before they come: while the loss seems to have risen, nothing is harmless.

    Parameters
    ----------
    reference : Reference
        Of the version's package.
    contract : Contract
    triggers : TriggerSettings
        Rates and least effects; a trigger that is not set is watched with its defaults.
    version : int
        Number of the version. Rows that another version or the fallback answered count for the
        features only.
    now : datetime
    seed : int
    promises : mapping of kind to Promise, optional
        Accounts of the version before (its `promises`), so that frequent retraining does not
        loosen the promise.
    season : {"day", "week"}, optional
        Compare like with like, if the reference knows this season; `summary` says so if not.
    """

    def __init__(
        self,
        reference: Reference,
        contract: Contract,
        triggers: TriggerSettings,
        *,
        version: int,
        now: datetime,
        seed: int = 0,
        promises: dict[WatchKind, Promise] | None = None,
        season: SeasonEvery | None = None,
    ) -> None:
        self.version = version
        self.started = now
        self._contract = contract
        self._drift = triggers.drift or DriftTrigger()
        self._loss = triggers.performance or PerformanceTrigger()
        self._season, self._seasons = season, _known(reference, season)
        by_score = self._loss.labels == "by_score"
        self._columns = make_columns(
            reference,
            contract,
            (seed, version),
            _length(self._drift.block),
            self._seasons,
            labels=not by_score,
        )
        self._performance = PerformanceMonitor(
            reference.loss,
            contract.task,
            (seed, version, 2),
            _length(self._loss.block),
            self._seasons.loss if self._seasons is not None else None,
            reference.loss_by_score,
            by_score,
        )
        self._told: dict[str, Moved] = {}
        self._recorded: dict[str, Moved] = {}
        self._counts = Counts()
        self._trials = {
            kind: start_trial(go_on(text, now, (promises or {}).get(kind)), now)
            for kind, text in self._rates()
        }

    @property
    def promises(self) -> dict[WatchKind, Promise]:
        """The accounts of false alarms, for the next version's watch."""
        return {kind: trial.promise for kind, trial in self._trials.items()}

    def observe(
        self,
        batches: Sequence[Logged],
        matched: Sequence[Matched],
        now: datetime,
        meaning: Meaning | None = None,
    ) -> list[Alarm]:
        """See what the prediction log has new, each thing once and in its order.

        Parameters
        ----------
        batches : sequence of Logged
            Answers.
        matched : sequence of Matched
            Answers and their truth.
        now : datetime
        meaning : callable (Alarm) -> Alarm, optional
            Says what a drift means. If it sets ``harmless``, the drift is recorded only, unless
            ``triggers.drift.harmless`` says otherwise.

        Returns
        -------
        list of Alarm
            At most one of each kind. The same rows give the same ids. Those to be recorded only,
            see `is_record`, are among them.
        """
        answers = [logged.batch for logged in batches]
        self._see_features(answers)
        own = [a for a in answers if a.version == self.version and not a.fallback]
        self._see_scores(own)
        self._see_labels([m for m in matched if m.version == self.version and not m.fallback])
        self._counts.answered += sum(answer.rows for answer in own)
        alarms = (self._drift_alarm(now, meaning), self._performance_alarm(now))
        return [alarm for alarm in alarms if alarm is not None]

    def is_record(self, alarm: Alarm) -> bool:
        """Say whether a drift is to be recorded and nobody to be told."""
        return bool(alarm.kind == "drift" and alarm.harmless and self._drift.harmless == "record")

    def rearm(self, over: Alarm | None = None) -> None:
        """Let columns alarm again.

        Parameters
        ----------
        over : Alarm, optional
            One that was wrong, or whose change has gone: its columns are tested anew. Without it,
            every column: somebody acted on what was told, and it did not help.
        """
        if over is None:
            self._told.clear()
            self._recorded.clear()
            return
        columns = {over.subject, *(moved.column for moved in over.moved)} & self._told.keys()
        for column in columns:
            del self._told[column]
        self._columns.restart(columns)

    def evidence(self) -> dict[str, float]:
        """Return log10 of the e-value of each feature, score and label column."""
        return self._columns.evidence()

    def summary(self) -> dict[str, Any]:
        """Return the state in plain types, for ``gleis monitor``, pages and ``/metrics``."""
        evidence = self.evidence()
        drift, loss = self._trials["drift"], self._trials["performance"]
        sure = {name: self._columns.change(name) for name in find_sure(evidence, drift.alpha)}
        counts = self._counts
        return {
            "version": self.version,
            **({"season": _say(self._season, self._seasons)} if self._season else {}),
            "drift": {
                "rows": self._columns.features.rows,
                "evidence": evidence,
                "combined": combine(evidence),
                "threshold": drift.threshold,
                "promise": drift.promise.words,
                "sure_but_small": {
                    name: plain_move(describe_move(name, change))
                    for name, change in sure.items()
                    if change.effect < self._drift.min_effect
                },
                "told": {n: plain_move(moved) for n, moved in self._told.items() if n != "loss"},
                "sure_but_harmless": {n: plain_move(moved) for n, moved in self._recorded.items()},
            },
            "performance": {
                "rows": self._performance.rows,
                "evidence": self._performance.evidence,
                "threshold": loss.threshold,
                "promise": loss.promise.words,
                "rise": self._performance.rise(),
                "figures": self._performance.figures(),
            },
            "labels": {
                "answered": counts.answered,
                "labelled": counts.labelled,
                "coverage": counts.labelled / counts.answered if counts.answered else None,
                "unusable": counts.unusable,
            },
            "unwatched": counts.unwatched,
            "flags": dict(counts.flags),
        }

    def to_bytes(self) -> bytes:
        """Return the state; `from_bytes` goes on from it exactly."""
        state = _State(
            self.version,
            self.started,
            self._columns.to_bytes(),
            self._performance.to_bytes(),
            self._trials,
            self._counts,
            self._told,
            self._recorded,
        )
        return msgspec.msgpack.encode(state)

    @classmethod
    def from_bytes(
        cls,
        content: bytes,
        reference: Reference,
        contract: Contract,
        triggers: TriggerSettings,
        *,
        now: datetime,
        seed: int = 0,
        season: SeasonEvery | None = None,
    ) -> Watch:
        """Restore a watch made with the same arguments.

        Raises
        ------
        StoreError
            If the bytes are damaged or belong to another reference.
        """
        state = decode_state(content, _State)
        watch = cls(
            reference,
            contract,
            triggers,
            version=state.version,
            now=now,
            seed=seed,
            season=season,
        )
        watch.started = state.started
        watch._columns.restore(state.columns)
        watch._performance.restore(state.performance)
        watch._counts = state.counts
        watch._told, watch._recorded = state.told, state.recorded
        for kind, text in watch._rates():
            if state.trials[kind].promise.text == text:
                watch._trials[kind] = state.trials[kind]
        return watch

    def _rates(self) -> tuple[tuple[WatchKind, str], ...]:
        return ("drift", self._drift.false_alarms), ("performance", self._loss.false_alarms)

    def _see_features(self, answers: Sequence[Batch]) -> None:
        names = self._columns.features.columns
        for answer in answers:
            for flag, rows in answer.flags.items():
                self._counts.flags[flag] = self._counts.flags.get(flag, 0) + len(rows)
            self._counts.unwatched += 0 if _is_whole(answer, names) else answer.rows
        whole = [answer for answer in answers if _is_whole(answer, names)]
        columns = {n: list(chain.from_iterable(a.features[n] for a in whole)) for n in names}
        self._columns.features.update(columns, _times(whole))

    def _see_scores(self, own: Sequence[Batch]) -> None:
        if own:
            scores = np.array(list(chain.from_iterable(a.scores for a in own)), dtype=np.float64)
            self._columns.scores.update(score_columns(scores, self._contract), _times(own))

    def _see_labels(self, matched: Sequence[Matched]) -> None:
        read = read_matches(matched, self._contract)
        self._performance.update(read.rows)
        if self._columns.labels is not None and read.rows.ids:
            values = name_targets(read.rows.targets, self._contract)
            self._columns.labels.update({LABEL: values}, read.rows.times)
        self._performance.mend(read.corrected)
        self._counts.labelled += len(read.rows.ids)
        self._counts.unusable += read.unusable

    def _drift_alarm(self, now: datetime, meaning: Meaning | None) -> Alarm | None:
        evidence, trial = self.evidence(), self._trials["drift"]
        changes = {
            name: self._columns.change(name)
            for name in find_sure(evidence, trial.alpha)
            if name not in self._told
        }
        large = [n for n, change in changes.items() if change.effect >= self._drift.min_effect]
        new = [name for name in large if name not in self._recorded]
        if not large:
            return None
        alarm = self._drifted((new or large)[0], large, evidence, now)
        alarm = self._weigh(meaning(alarm)) if meaning is not None else alarm
        moved = {one.column: one for one in alarm.moved if one.column in large}
        if self.is_record(alarm):
            self._recorded.update(moved)
            return alarm if new else None
        self._told.update(moved)
        for name in large:
            self._recorded.pop(name, None)
        self._columns.restart(large)
        self._start("drift", now)
        return alarm

    def _weigh(self, alarm: Alarm) -> Alarm:
        """Hold what is expected against the labels there are: they know better."""
        risen = self._performance.rise() >= self._loss.min_effect
        if not alarm.harmless or not risen or self._performance.evidence < _DOUBT:
            return alarm
        doubted = msgspec.structs.replace(alarm, harmless=None)
        return msgspec.structs.replace(doubted, message=write_message(doubted))

    def _drifted(
        self, subject: str, large: Sequence[str], evidence: dict[str, float], now: datetime
    ) -> Alarm:
        trial = self._trials["drift"]
        also = [n for n in find_also(evidence, trial.alpha) if n != subject]
        columns = dict.fromkeys([subject, *large, *also])
        changes = {name: self._columns.change(name) for name in columns}
        change = changes[subject]
        alarm = self._alarm(
            "drift",
            now,
            subject=subject,
            also=tuple(also),
            evidence=combine(evidence),
            effect=change.effect,
            since=change.since,
            between=change.between,
            rows=self._columns.features.rows,
            message="",
            moved=tuple(describe_move(name, one) for name, one in changes.items()),
        )
        return msgspec.structs.replace(alarm, message=write_message(alarm))

    def _performance_alarm(self, now: datetime) -> Alarm | None:
        monitor, trial = self._performance, self._trials["performance"]
        evidence, rise, since = monitor.evidence, monitor.rise(), monitor.since()
        certain = evidence >= trial.threshold and rise >= self._loss.min_effect
        if not certain or "loss" in self._told:
            return None
        change, rows_since = monitor.change(), monitor.rows_since()
        when = say_since(since, change.between, now)
        what = f"`loss` rose: {monitor.words()}{when} (rise {rise:.3g})"
        self._told["loss"] = describe_move("loss", change)
        monitor.restart()
        alarm = self._alarm(
            "performance",
            now,
            subject="loss",
            also=(),
            evidence=evidence,
            effect=rise,
            since=since,
            between=change.between,
            rows=monitor.rows,
            rows_since=rows_since,
            message=f"{what}; evidence 10^{evidence:.1f}, alarm at 10^{trial.threshold:.1f}; "
            f"{trial.promise.words}",
        )
        self._start("performance", now)
        return alarm

    def _alarm(self, kind: WatchKind, now: datetime, *, rows: int, **facts: Any) -> Alarm:
        trial = self._trials[kind]
        return Alarm(
            id=f"{kind}-v{self.version}-{self.started:%Y%m%dT%H%M%S}-{rows}",
            kind=kind,
            at=now,
            threshold=trial.threshold,
            promise=trial.promise.words,
            rows=rows,
            version=self.version,
            **facts,
        )

    def _start(self, kind: WatchKind, now: datetime) -> None:
        """Charge the next run of a test: the present one alarmed."""
        self._trials[kind] = start_trial(self._trials[kind].promise, now)


def _is_whole(answer: Batch, names: Sequence[str]) -> bool:
    """Say whether rows carry all features that are watched."""
    return answer.features.keys() >= set(names)


def _known(reference: Reference, season: SeasonEvery | None) -> Seasons | None:
    """Return the reference by the season asked for; None if it was made without."""
    seasons = reference.seasons
    return seasons if seasons is not None and seasons.features.every == season else None


def _say(season: SeasonEvery, seasons: Seasons | None) -> str:
    if seasons is None:
        return f"{season}, from the next model on: this one was trained without it"
    return f"{season}, in {max(seasons.features.cells) + 1} stretches of hours"


def _length(block: str | None) -> timedelta | None:
    return parse_duration(block, "triggers.block") if block is not None else None


def _times(answers: Sequence[Batch]) -> list[datetime | None]:
    return [time or answer.at for answer in answers for time in answer.times]
