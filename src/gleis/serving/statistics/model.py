"""What is known about the model that answers: its evidence, and what the loop found out since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import get_args

import msgspec

from gleis.contracts.alarm import Alarm, AlarmKind
from gleis.contracts.deployment import Deployment
from gleis.contracts.evidence import Evidence
from gleis.contracts.explanation import LocalMethod
from gleis.contracts.feedback import RatingSummary
from gleis.contracts.figure import Figure
from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.contracts.notice import AlarmState, AlarmStatus, Handled, alarm_state, short_id
from gleis.evidence.explain.methods import MODEL
from gleis.packaging.load import Package
from gleis.serving.retrainings import Retraining
from gleis.serving.routing import Part

_PARTS = {
    "drift": ("gleis_drift", "gleis_joint"),
    "performance": ("gleis_performance", "gleis_live_performance"),
    "estimated_performance": ("gleis_estimat",),
    "labels": ("gleis_label",),
    "fairness": ("gleis_fairness",),
}

_CLOSED = {"resolved", "recorded"}


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """Which version answers, since when and why."""

    version: int
    digest: str
    run: str
    since: datetime | None
    reason: str | None
    by: str | None


class ProvenFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of the test rows."""

    name: str
    model: Figure
    baseline: Figure | None
    """Of the baseline, on the same rows."""
    gain: Figure | None
    """Paired difference; positive is better than the baseline."""


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """What the run measured on rows the model had not seen."""

    rows: int
    figures: tuple[ProvenFigure, ...]
    notes: tuple[str, ...]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the loop found out since, as Prometheus names it."""

    at: datetime | None
    """When the loop wrote it; None if no loop ever looked."""
    drift: tuple[LiveFigure, ...] = ()
    """Evidence and thresholds of the monitors."""
    performance: tuple[LiveFigure, ...] = ()
    estimated_performance: tuple[LiveFigure, ...] = ()
    """Before labels come."""
    labels: tuple[LiveFigure, ...] = ()
    fairness: tuple[LiveFigure, ...] = ()
    other: tuple[LiveFigure, ...] = ()


class ShownAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that is not resolved, and not only recorded."""

    id: str
    kind: AlarmKind
    at: datetime
    subject: str
    message: str
    evidence: float
    """log10 of the e-value."""
    threshold: float
    promise: str
    confirmed: bool | None
    harmless: bool | None
    short: str
    """What ``gleis alarms`` calls it."""
    status: AlarmStatus
    state: str
    """In words: ``snoozed by jo@host until 2013-07-04 12:00 UTC``."""


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """The alarms."""

    total: int
    """All there ever were."""
    open: tuple[ShownAlarm, ...]
    """The newest first."""


class Outliers(msgspec.Struct, frozen=True, kw_only=True):
    """How unusual rows are found."""

    method: str
    rate: float
    """Share of the training rows that is called unusual."""
    threshold: float


class Explanations(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked of ``/explain`` and ``/explain/model``."""

    answer: tuple[str, ...]
    model: tuple[str, ...]


class ModelStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The model that answers."""

    model: str
    task: str
    target: str
    at: datetime
    champion: Champion
    release: tuple[Part, ...]
    """Every version that takes part, its role and its share of the rows."""
    evidence: Proven
    live: Found
    alarms: Alarms
    outliers: Outliers | None
    explanations: Explanations
    feedback: tuple[RatingSummary, ...]
    retraining: Retraining | None
    """The newest that somebody asked for."""


def champion_of(deployed: Deployment | None, version: int, digest: str, run: str) -> Champion:
    """Return which version answers; ``deployed`` says why, if it is about this version."""
    said = deployed if deployed is not None and deployed.version.number == version else None
    return Champion(
        version=version,
        digest=digest,
        run=run,
        since=said.at if said else None,
        reason=said.reason if said else None,
        by=said.by if said else None,
    )


def proven(evidence: Evidence) -> Proven:
    """Return the figures of the test rows, beside the baseline's."""
    figures = tuple(
        ProvenFigure(
            name=name,
            model=figure,
            baseline=evidence.baseline.get(name),
            gain=evidence.gain.get(name),
        )
        for name, figure in evidence.figures.items()
    )
    return Proven(rows=evidence.rows, figures=figures, notes=evidence.remarks)


def found(figures: LiveFigures | None) -> Found:
    """Sort what the loop wrote by what it is about.

    Examples
    --------
    >>> from datetime import UTC
    >>> evidence = LiveFigure(name="gleis_drift_evidence", value=1.5, help="Evidence.")
    >>> written = LiveFigures(at=datetime(2013, 7, 4, tzinfo=UTC), figures=(evidence,))
    >>> found(written).drift[0].value
    1.5
    """
    if figures is None:
        return Found(at=None)
    parts: dict[str, list[LiveFigure]] = {}
    for figure in figures.figures:
        parts.setdefault(_part(figure.name), []).append(figure)
    return Found(at=figures.at, **{part: tuple(listed) for part, listed in parts.items()})


def alarms_of(alarms: Iterable[Alarm], handled: Iterable[Handled], now: datetime) -> Alarms:
    """Return how many alarms there were, and those that are not resolved.

    Parameters
    ----------
    alarms : iterable of Alarm
        Each as often as it was recorded, oldest first.
    handled : iterable of Handled
        What was done about any of them, oldest first.
    now : datetime
    """
    newest = {alarm.id: alarm for alarm in alarms}
    done: dict[str, list[Handled]] = {}
    for one in handled:
        done.setdefault(one.alarm, []).append(one)
    standing = [
        (alarm, alarm_state(alarm, done.get(alarm.id, ()), now, told=not alarm.harmless))
        for alarm in reversed(newest.values())
    ]
    shown = (_shown(a, state) for a, state in standing if state.status not in _CLOSED)
    return Alarms(total=len(newest), open=tuple(shown))


def outliers_of(package: Package) -> Outliers | None:
    """Return how the package finds unusual rows; None if it does not."""
    model = package.outliers
    if model is None:
        return None
    method = str(type(model).__struct_config__.tag)
    return Outliers(method=method, rate=model.rate, threshold=model.threshold)


def explanations() -> Explanations:
    """Return what may be asked over HTTP."""
    asked: Sequence[str] = [name for name in MODEL if name != "permutation"]
    return Explanations(answer=get_args(LocalMethod), model=tuple(asked))


def _part(name: str) -> str:
    for part, starts in _PARTS.items():
        if name.startswith(starts):
            return part
    return "other"


def _shown(alarm: Alarm, state: AlarmState) -> ShownAlarm:
    return ShownAlarm(
        id=alarm.id,
        kind=alarm.kind,
        at=alarm.at,
        subject=alarm.subject,
        message=alarm.message,
        evidence=alarm.evidence,
        threshold=alarm.threshold,
        promise=alarm.promise,
        confirmed=alarm.confirmed,
        harmless=alarm.harmless,
        short=short_id(alarm.id),
        status=state.status,
        state=state.words,
    )
