"""Labels: how many came, how late, days on which they stay away, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from gleis.contracts.alarm import Alarm
from gleis.contracts.live_figures import LiveFigure
from gleis.evidence.metrics import PRIMARY_LOSS, SLICE_METRICS
from gleis.lifecycle.maturing import read_maturity
from gleis.lifecycle.observers.observer import Watched
from gleis.monitoring.labels.absence import Missing
from gleis.monitoring.labels.coverage import Coverage
from gleis.monitoring.labels.live import LivePerformance
from gleis.monitoring.labels.maturity import DAY
from gleis.monitoring.packing import decode_state
from gleis.monitoring.promise import Trial, make_promise, start_trial
from gleis.store.log.logged import Logged, Matched


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    coverage: bytes
    trial: Trial
    answered: int
    labelled: int
    live: bytes


class LabelsObserver:
    """Watches whether labels come.

    Coverage belongs to the service, so that it goes along when the champion changes.

    Parameters
    ----------
    watched : Watched
    """

    def __init__(self, watched: Watched) -> None:
        self._log = watched.bench.home.log
        self._clock = watched.bench.clock
        self._version = watched.version.number
        self._floor = _floor(watched)
        body = watched.kept or watched.former
        state = None if body is None else decode_state(body, _Kept)
        maturity = read_maturity(watched.bench)
        before = None if state is None else state.coverage
        self._coverage = Coverage(maturity, watched.parts.contract, before)
        self._trial = self._go_on(watched, state)
        own = state if watched.kept is not None else None
        reference, contract = watched.parts.reference, watched.parts.contract
        kept = None if own is None else own.live
        self._live = LivePerformance(maturity, contract, reference.scores, self._version, kept)
        self._told = [PRIMARY_LOSS[contract.task], *SLICE_METRICS[contract.task]]
        self._answered = 0 if own is None else own.answered
        self._labelled = 0 if own is None else own.labelled

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """Count answers and labels."""
        self._coverage.see(batches, matched, now)
        self._live.see(batches, matched)
        own = [one.batch for one in batches if one.batch.version == self._version]
        self._answered += sum(batch.rows for batch in own if not batch.fallback)
        self._labelled += sum(
            one.version == self._version and not one.fallback and not one.relabelled
            for one in matched
        )

    def alarms(self, now: datetime) -> list[Alarm]:
        """Tell the first day that lacks its labels."""
        missing = self._coverage.judge(now, self._trial.alpha, self._floor)
        return [self._raise(one, now) for one in missing]

    def summary(self) -> dict[str, Any]:
        """Return coverage, delays and oddities."""
        waiting = self._log.counts().pending
        return {
            "answered": self._answered,
            "labelled": self._labelled,
            **self._coverage.summary(self._clock.now()),
            **({"for_unknown_predictions": waiting} if waiting else {}),
            "promise": self._trial.promise.words,
            **self._performance(),
        }

    def figures(self) -> list[LiveFigure]:
        """Return coverage, delays and contradictions."""
        share, state = self._coverage.share(self._clock.now()), self._coverage.state
        found = [
            LiveFigure(
                name="gleis_labels_contradictory",
                value=state.contradictory,
                help="Labels that contradict an earlier one of the same prediction.",
                kind="counter",
            ),
            LiveFigure(
                name="gleis_labels_unusable",
                value=state.unusable,
                help="Labels that are no class of the model, or no number.",
                kind="counter",
            ),
        ]
        if share is not None:
            said = "Share of mature answers of the window that have a label."
            found.append(LiveFigure(name="gleis_label_coverage", value=share, help=said))
        for q in (0.5, 0.95):
            seconds = self._coverage.delay(q)
            if not math.isnan(seconds):
                found.append(
                    LiveFigure(
                        name="gleis_label_delay_seconds",
                        value=seconds,
                        labels={"percentile": f"{100 * q:g}"},
                        help="Seconds from an event to its label.",
                    )
                )
        return found + self._live_figures()

    def to_bytes(self) -> bytes:
        """Return the state."""
        kept = _Kept(
            coverage=self._coverage.to_bytes(),
            trial=self._trial,
            answered=self._answered,
            labelled=self._labelled,
            live=self._live.to_bytes(),
        )
        return msgspec.msgpack.encode(kept)

    def _performance(self) -> dict[str, Any]:
        """Sum up live figures of mature answers, as labelled and corrected."""
        found = self._live.measure(self._clock.now(), names=list(dict.fromkeys(self._told)))
        if found is None:
            return {}
        return {
            "live_performance": {
                "rows": found.rows,
                "without_support": found.without_support,
                "representative": found.representative,
                "note": found.note,
                "as_labelled": found.as_labelled,
                "corrected": found.corrected,
            }
        }

    def _live_figures(self) -> list[LiveFigure]:
        found = self._live.measure(self._clock.now(), n_replicates=0)
        if found is None:
            return []
        both = (("no", found.as_labelled), ("yes", found.corrected))
        figures = [
            LiveFigure(
                name="gleis_live_performance",
                value=figure.value,
                labels={"figure": name, "corrected": corrected},
                help="Of mature answers: as labelled, or corrected for missing labels.",
            )
            for corrected, measured in both
            for name, figure in measured.items()
        ]
        said = "Share of mature answers whose scores never get a label."
        support = LiveFigure(
            name="gleis_label_without_support", value=found.without_support, help=said
        )
        return [*figures, support]

    def _go_on(self, watched: Watched, state: _Kept | None) -> Trial:
        if state is not None and state.trial.promise.text == watched.rate:
            return state.trial
        return start_trial(make_promise(watched.rate, watched.now), watched.now)

    def _raise(self, missing: Missing, now: datetime) -> Alarm:
        trial = self._trial
        self._trial = start_trial(trial.promise, now)
        if self._coverage.state.absence is not None:
            self._coverage.state.absence.looks = 0
        since = datetime.fromtimestamp(missing.first * DAY, UTC)
        usual = missing.usual if missing.floor is None else missing.floor
        return Alarm(
            id=f"labels-{since:%Y%m%d}",
            kind="labels",
            at=now,
            subject="labels",
            also=(),
            evidence=-math.log10(max(missing.chance, 1e-300)),
            threshold=-math.log10(missing.level),
            promise=trial.promise.words,
            effect=(usual or 0.0) - missing.share,
            since=since,
            rows=missing.answered,
            version=self._version,
            message=f"{missing.words} {trial.promise.words}",
        )


def _floor(watched: Watched) -> float:
    """Return ``monitor.coverage``, if anybody said when labels are to be expected."""
    settings = watched.bench.settings
    declared = settings.monitor.matures is not None or settings.project.label_delay != "0s"
    return settings.monitor.coverage if declared else 0.0


def make_labels(watched: Watched) -> LabelsObserver:
    """Make the observer, or go on from what it kept."""
    return LabelsObserver(watched)
