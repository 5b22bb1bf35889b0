"""What a replay came to: figures in all, by week and part, alarms, retrainings, their cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.clock import utc
from gleis.contracts.contract import Contract
from gleis.contracts.run import Run
from gleis.data.contract import encode_target
from gleis.evidence.measure import measure
from gleis.lifecycle.backtests.detection import Live, find_detections, mean_age, stale_share
from gleis.lifecycle.backtests.policies import Policy
from gleis.lifecycle.backtests.replay import Replay
from gleis.lifecycle.journal import Trained
from gleis.lifecycle.results import Part, PolicyResult, Week


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of history, how it is walked and what is known of it."""

    since: datetime
    until: datetime
    step: timedelta
    changes: tuple[datetime, ...] = ()
    """When the world is known to have changed."""
    split: datetime | None = None
    """Figures are given for the parts before and after it too."""


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Time a replay took."""

    seconds: float
    cpu_seconds: float


class _Answers(msgspec.Struct, frozen=True):
    """Labelled predictions."""

    times: pl.Series
    target: NDArray[np.generic]
    scores: NDArray[np.float64]
    contract: Contract
    metrics: tuple[str, ...]

    def figures(self, inside: NDArray[np.bool_]) -> dict[str, float]:
        """Return the figures of some of them, without those that are undefined."""
        target, scores = self.target[inside], self.scores[inside]
        if not len(target):
            return {}
        return _defined(measure(target, scores, self.contract.task, self.metrics))

    def within(self, since: datetime, until: datetime) -> NDArray[np.bool_]:
        """Say which fall into [since, until)."""
        return ((self.times >= since) & (self.times < until)).to_numpy()


def summarise(
    policy: Policy,
    replay: Replay,
    contract: Contract,
    metrics: tuple[str, ...],
    span: Span,
    spent: Spent,
) -> PolicyResult:
    """Measure what a replay answered and did."""
    answers = _answers(replay, contract, metrics)
    journal, since = replay.loop.journal, span.since
    trainings = [t for t in journal.trainings() if t.at > since and t.error is None]
    live, alarms = _live(replay), journal.alarms(since)
    return PolicyResult(
        policy=policy.name,
        figures=answers.figures(np.ones(len(answers.target), dtype=bool)),
        rows=len(answers.target),
        weeks=_weeks(answers),
        retrainings=len(trainings),
        promotions=tuple(d for d in replay.bench.deployments.history("champion") if d.at > since),
        alarms=tuple(alarms),
        decisions=tuple(d for d in journal.decisions() if d.at > since),
        seconds=spent.seconds,
        refused=replay.refused,
        refusal=replay.refusal,
        triggers=policy.triggers,
        varied=policy.varied,
        cpu_seconds=spent.cpu_seconds,
        fit_seconds=replay.fit_seconds,
        detections=find_detections(span.changes, alarms, span.until),
        age_days=mean_age(live, since, span.until),
        stale=stale_share(live, span.changes, since, span.until),
        parts=_parts(answers, trainings, span),
    )


def _answers(replay: Replay, contract: Contract, metrics: tuple[str, ...]) -> _Answers:
    rows, scores = replay.answered()
    known = rows[contract.target].is_not_null()
    labelled = rows.filter(known)
    target = encode_target(labelled[contract.target], contract)
    times = labelled[contract.time or ""]
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is None:  # it is UTC
        times = times.dt.replace_time_zone("UTC")
    return _Answers(times, target, scores[known.to_numpy()], contract, metrics)


def _defined(figures: Mapping[str, float]) -> dict[str, float]:
    """Leave out what is undefined, such as the ROC AUC of one class: JSON has no NaN."""
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def _weeks(answers: _Answers) -> tuple[Week, ...]:
    weeks = []
    starts = answers.times.dt.truncate("1w")
    for start in starts.unique().sort().to_list():
        inside = (starts == start).to_numpy()
        figures = answers.figures(inside)
        weeks.append(Week(start=utc(start), rows=int(inside.sum()), figures=figures))
    return tuple(weeks)


def _parts(answers: _Answers, trainings: Sequence[Trained], span: Span) -> tuple[Part, ...]:
    if span.split is None:
        return ()
    parts = []
    for since, until in pairwise((span.since, span.split, span.until)):
        inside = answers.within(since, until)
        parts.append(
            Part(
                since=since,
                until=until,
                rows=int(inside.sum()),
                figures=answers.figures(inside),
                retrainings=sum(since < t.at <= until for t in trainings),
            )
        )
    return tuple(parts)


def _live(replay: Replay) -> Live:
    """Return when each champion went live, and the newest row of its dataset."""
    home = replay.bench.home
    recorded = [msgspec.json.decode(body, type=Run) for body in home.facts.all("run")]
    runs = {run.id: run for run in recorded}
    return [
        (deployment.at, runs[deployment.version.run].dataset.last)
        for deployment in replay.bench.deployments.history("champion")
    ]
