"""Performance before labels come: estimated from scores, and checked once labels are there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.config.durations import parse_duration
from gleis.config.settings import PerformanceTrigger
from gleis.contracts.alarm import Alarm, Expected
from gleis.contracts.estimation import ClassEstimation, Estimation
from gleis.contracts.figure import Figure
from gleis.contracts.live_figures import LiveFigure
from gleis.contracts.prediction import Batch
from gleis.evidence.estimation.change import Rise, expected_rise
from gleis.evidence.estimation.estimate import Sums, estimate_sums, sum_rows
from gleis.evidence.estimation.realised import sum_truth, truth_figures
from gleis.evidence.estimation.record import Check, Record
from gleis.evidence.estimation.stretches import Grid, Kept, Stretches, make_grid, pack, unpack
from gleis.evidence.estimation.telling import live_figures, record_words, why_not
from gleis.evidence.metrics import PRIMARY_LOSS
from gleis.evidence.weighted import Floats
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.observers.observer import Observer, Watched
from gleis.monitoring.labelled import read_matches
from gleis.monitoring.packing import decode_state
from gleis.monitoring.risen import Risen, start_risen
from gleis.store.log.logged import Logged, Matched

LEAST = 100
"""Rows from which on anything is estimated, and checked."""
Parts = list[tuple[datetime, Floats]]
"""Begin and sums of stretches."""
_COVERED = 0.8
"""Share of a stretch's answers that must be labelled before a regression's estimate is checked:
the log says no features beside a label, so the labelled rows stand for all."""


class _State(msgspec.Struct, frozen=True):
    started: datetime
    answered: Kept
    labelled: Kept
    truth: Kept
    record: Record
    risen: Risen
    checked: int
    """Windows before this one were checked, or had too few labels."""


class EstimateObserver:
    """Estimates the champion's performance, alarms where it surely fell, and keeps its own record.

    Only its own answers count. Sums by day are kept, never rows.

    Parameters
    ----------
    watched : Watched
    estimation : Estimation
        Of the champion's package.
    """

    def __init__(self, watched: Watched, estimation: Estimation) -> None:
        settings = watched.bench.settings
        self._bench = watched.bench
        self._version = watched.version.number
        self._contract = watched.parts.contract
        self._estimation = estimation
        self._figure = PRIMARY_LOSS[self._contract.task]
        self._before = watched.parts.reference.loss.mean
        self._window = parse_duration(settings.monitor.window, "monitor.window")
        delay = settings.monitor.matures or settings.project.label_delay
        self._matures = parse_duration(delay, "monitor.matures")
        self._effect = (settings.triggers.performance or PerformanceTrigger()).min_effect
        kept = _read(watched.kept)
        self._started = kept.started if kept else watched.now
        self._grid = make_grid(self._started, self._window)
        self._answered = Stretches(self._grid, kept.answered if kept else None)
        self._labelled = Stretches(self._grid, kept.labelled if kept else None)
        self._truth = Stretches(self._grid, kept.truth if kept else None)
        self._record = kept.record if kept else Record()
        former = _read(watched.former)
        self._risen = (
            kept.risen
            if kept
            else start_risen(watched.rate, watched.now, former.risen if former else None)
        )
        self._checked = kept.checked if kept else 0
        self._now = watched.now
        self._current: tuple[datetime, dict[str, Figure]] | None = None

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """Sum up what is new."""
        self._now = now
        own = [logged.batch for logged in batches if _is_own(logged.batch, self._version)]
        if own:
            self._see_answers(own, now)
        mine = [one for one in matched if _is_own(one, self._version)]
        if mine:
            self._see_labels(mine, now)

    def alarms(self, now: datetime) -> Sequence[Alarm]:
        """Check estimates whose labels have come, test the loss, and return what must be told."""
        self._now = now
        due = self._grid.window_of(now - self._matures)
        for window in self._truth.windows():
            if self._checked <= window < due:
                self._check(window)
        self._checked = max(self._checked, due)
        known = self._risen.found is not None and self._is_known(now)
        self._risen, told = self._risen.tell(now, known=known)
        due = self._grid.window_of(now)
        for window in self._answered.windows():
            if self._risen.looked <= window < due:
                self._test(window, now)
        looked = max(self._risen.looked, due)
        self._risen = msgspec.structs.replace(self._risen, looked=looked)
        # What trails the window is still shown beside the estimate.
        checked = self._grid.window_starts(self._checked)
        oldest = min(checked, now - self._window - self._matures - self._grid.stretch)
        self._labelled.drop(oldest)
        self._truth.drop(oldest)
        return told

    def expected(self, since: datetime | None) -> Expected | None:
        """Return what answers since a moment are expected to be worth.

        None while fewer than 100 came, once the estimates proved wrong, and where the labels that
        came since contradict them.
        """
        if not self._record.believed:
            return None
        begin = since or self._now - self._window
        rise = _rise(self._estimation, self._answered.since(begin))
        if rise is None:
            return None
        found = self._compare(*(kept.since(begin) for kept in self._sums))
        if found is not None and not found.held:
            return None
        return Expected(
            figure=self._figure,
            before=self._to_figure(self._before),
            change=self._change(rise.value),
            low=self._change(rise.bound(0.025)),
            high=self._change(rise.bound(0.975)),
            rows=int(rise.rows),
        )

    def summary(self) -> dict[str, Any]:
        """Return estimates of the latest window beside what labels say, and the record."""
        estimated, truth = self._estimates(), self._realised()
        record = self._record
        known = truth_figures(truth, self._estimation) if truth is not None else {}
        return {
            "believed": record.believed,
            "why": why_not(record, self._bench.settings.monitor.window),
            "window": self._bench.settings.monitor.window,
            "rows": int(sum(_rows(day) for day in self._recent())),
            "labelled": 0 if truth is None else int(truth[0]),
            "figures": {
                name: {
                    "estimated": figure.value,
                    "low": figure.low,
                    "high": figure.high,
                    "realised": known.get(name),
                }
                for name, figure in estimated.items()
            },
            "record": {
                "checked": record.checked,
                "held": record.held,
                "words": record_words(record, self._bench.settings.monitor.window),
                "latest": [
                    msgspec.to_builtins(check) | {"held": check.held} for check in record.latest
                ],
            },
            "promise": self._risen.trial.promise.words,
        }

    def figures(self) -> Sequence[LiveFigure]:
        """Return the estimates with their intervals, and how the record stands."""
        return live_figures(self._estimates(), self._record, self._figure)

    def to_bytes(self) -> bytes:
        """Return the state."""
        return msgspec.msgpack.encode(
            _State(
                self._started,
                self._answered.keep(),
                self._labelled.keep(),
                self._truth.keep(),
                self._record,
                self._risen,
                self._checked,
            )
        )

    def _see_answers(self, own: Sequence[Batch], now: datetime) -> None:
        scores = np.array(list(chain.from_iterable(b.scores for b in own)), dtype=np.float64)
        moments = [time or b.at for b in own for time in b.times]
        asked = set() if isinstance(self._estimation, ClassEstimation) else _asked(self._estimation)
        columns = {
            name: np.array([*chain.from_iterable(b.features[name] for b in own), None])[:-1]
            for name in asked
        }
        for stretch, rows in _cut(moments, now, self._grid):
            part = {name: values[rows].tolist() for name, values in columns.items()}
            self._answered.add(stretch, pack(sum_rows(scores[rows], part, self._estimation)))

    def _see_labels(self, matched: Sequence[Matched], now: datetime) -> None:
        read = read_matches(matched, self._contract).rows
        if not read.ids:
            return
        targets, scores = read.arrays(self._contract.task)
        for stretch, rows in _cut(read.times, now, self._grid):
            y, s = targets[rows], scores[rows]
            self._truth.add(stretch, sum_truth(y, s, self._estimation, self._contract.task))
            if isinstance(self._estimation, ClassEstimation):
                self._labelled.add(stretch, pack(sum_rows(s, {}, self._estimation)))

    def _recent(self) -> list[Sums]:
        return _days(self._estimation, self._answered.since(self._now - self._window))

    def _estimates(self) -> dict[str, Figure]:
        """Estimate the latest window, anew when there is something new."""
        if self._current is None or self._current[0] != self._now:
            days = self._recent()
            enough = sum(_rows(day) for day in days) >= LEAST
            seed = self._bench.settings.seed
            found = estimate_sums(days, self._estimation, seed=seed) if enough else {}
            self._current = self._now, found
        return self._current[1]

    def _realised(self) -> Floats | None:
        sums = [numbers for _, numbers in self._truth.since(self._now - self._window)]
        return np.sum(sums, axis=0) if sums else None

    @property
    def _sums(self) -> tuple[Stretches, Stretches, Stretches]:
        return self._answered, self._labelled, self._truth

    def _check(self, window: int) -> None:
        """Compare a window's estimate with its labels."""
        found = self._compare(*(kept.of_window(window) for kept in self._sums))
        if found is not None:
            grid = self._grid
            start, until = grid.window_starts(window), grid.window_starts(window + 1)
            self._record = self._record.add(
                msgspec.structs.replace(found, start=start, until=until)
            )

    def _compare(self, answered: Parts, labelled: Parts, truth: Parts) -> Check | None:
        """Compare the estimate of rows with what their labels say; None if there are too few."""
        total = np.sum([numbers for _, numbers in truth], axis=0) if truth else np.zeros(1)
        if total[0] < LEAST:
            return None
        if not isinstance(self._estimation, ClassEstimation):
            if total[0] < _COVERED * sum(numbers.sum() for _, numbers in answered):
                return None
            labelled = answered
        days = _days(self._estimation, labelled)
        estimated = estimate_sums(days, self._estimation, seed=self._bench.settings.seed)
        figure = estimated[self._figure]
        return Check(
            start=truth[0][0],
            until=self._now,
            rows=int(total[0]),
            estimated=figure.value,
            low=figure.low,
            high=figure.high,
            realised=truth_figures(total, self._estimation)[self._figure],
        )

    def _test(self, window: int, now: datetime) -> None:
        """Test whether the loss of a window's answers has surely risen; windows do not overlap."""
        rise = _rise(self._estimation, self._answered.of_window(window))
        if rise is not None and self._record.believed:
            alarm = self._alarm(rise, window, now)
            self._risen = self._risen.test(rise, self._effect, alarm)

    def _alarm(self, rise: Rise, window: int, now: datetime) -> Alarm:
        start, end = self._grid.window_starts(window), self._grid.window_starts(window + 1)
        change = self._change(rise.value)
        before = self._to_figure(self._before)
        low, high = (self._change(rise.bound(at)) for at in (0.025, 0.975))
        return Alarm(
            id=f"estimate-v{self._version}-{start:%Y%m%dT%H%M%S}",
            kind="estimate",
            at=now,
            subject="loss",
            also=(),
            evidence=rise.evidence(self._effect),
            threshold=self._risen.threshold,
            promise=self._risen.trial.promise.words,
            effect=rise.value,
            since=start,
            rows=int(rise.rows),
            version=self._version,
            message=f"`{self._figure}` is expected to have risen, labels are not there yet: "
            f"{before:.4g} -> {before + change:.4g} ({low:+.3g} to {high:+.3g}) from "
            f"{start:%Y-%m-%d} to {end:%Y-%m-%d}, by {int(rise.rows):,} scores; "
            f"{self._risen.trial.promise.words}",
            expected=Expected(
                figure=self._figure,
                before=before,
                change=change,
                low=low,
                high=high,
                rows=int(rise.rows),
            ),
            harmless=False,
        )

    def _is_known(self, now: datetime) -> bool:
        """Say whether another alarm of this version told of it, or nobody believes it any more."""
        begin = now - 2 * self._window
        return not self._record.believed or any(
            alarm.version == self._version
            and alarm.kind in ("drift", "performance")
            and not alarm.harmless
            for alarm in Journal(self._bench.home.facts).alarms(since=begin)
        )

    def _to_figure(self, mean: float) -> float:
        """Return the figure of a mean loss."""
        return math.sqrt(max(0.0, mean)) if self._contract.task == "regression" else mean

    def _change(self, rise: float) -> float:
        """Return the difference of the figure that a difference of the mean loss makes."""
        return self._to_figure(self._before + rise) - self._to_figure(self._before)


class _Unknown:
    """Says why there are no estimates of this version; what an earlier one promised goes along."""

    def __init__(self, watched: Watched, reason: str) -> None:
        self._reason = reason
        self._former = watched.kept or watched.former or b""

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """See nothing."""

    def alarms(self, now: datetime) -> Sequence[Alarm]:
        """Return none."""
        return ()

    def summary(self) -> dict[str, Any]:
        """Return the reason."""
        return {"believed": False, "why": self._reason}

    def figures(self) -> Sequence[LiveFigure]:
        """Return none."""
        return ()

    def to_bytes(self) -> bytes:
        """Return what an earlier version kept."""
        return self._former


def make_estimate(watched: Watched) -> Observer | None:
    """Make the observer; None for a package that was made before there were estimates.

    Raises
    ------
    StoreError
        If the saved state is damaged.
    """
    reference = watched.parts.reference
    if reference.estimation is not None:
        return EstimateObserver(watched, reference.estimation)
    return None if reference.no_estimation is None else _Unknown(watched, reference.no_estimation)


def _read(body: bytes | None) -> _State | None:
    if not body:
        return None
    return decode_state(body, _State)


def _rows(day: Sums) -> float:
    return float(day.sum()) if isinstance(day, np.ndarray) else day.size


def _asked(estimation: Any) -> set[str]:
    return {node.column for node in estimation.nodes if node.leaf is None} - {"score"}


def _is_own(one: Batch | Matched, version: int) -> bool:
    return one.version == version and not one.fallback and one.role == "champion"


def _cut(
    moments: Sequence[datetime], now: datetime, grid: Grid
) -> list[tuple[int, NDArray[np.intp]]]:
    """Return stretches, and which rows are in each; what is to come counts as of now."""
    stamps = np.array([moment.timestamp() for moment in moments])
    passed = np.minimum(stamps, now.timestamp()) - grid.origin.timestamp()
    numbers = np.floor(passed / grid.stretch.total_seconds()).astype(np.int64)
    return [(int(at), np.flatnonzero(numbers == at)) for at in np.unique(numbers)]


def _days(estimation: Estimation, stretches: Parts) -> list[Sums]:
    """Add up the stretches of a day."""
    days: dict[Any, Floats] = {}
    for start, sums in stretches:
        day = start.date()
        days[day] = days[day] + sums if day in days else sums
    return [unpack(sums, estimation) for sums in days.values()]


def _rise(estimation: Estimation, stretches: Parts) -> Rise | None:
    """Return what rows are expected to lose beyond the test rows; None of too few."""
    days = _days(estimation, stretches)
    enough = sum(_rows(day) for day in days) >= LEAST
    return expected_rise(days, estimation) if enough else None
