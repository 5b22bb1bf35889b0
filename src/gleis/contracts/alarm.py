"""Alarms, and the decisions taken on them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

TriggerKind = Literal["demand", "schedule", "new_labels", "performance", "drift"]


AlarmKind = Literal[
    "drift", "performance", "estimate", "labels", "fairness", "joint", "service", "source"
]
"""``drift``: a feature or a score changed. ``performance``: the loss rose, by labels. ``estimate``:
the loss is expected to have risen, before labels. ``labels``: they stay away. ``fairness``: groups
of people are treated differently. ``joint``: features changed together, though none alone.
``service``: what comes in cannot be answered. ``source``: a table cannot be filled."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """How far a column moved, and what that matters to the model."""

    column: str
    psi: float
    """Population stability index against the reference, see `gleis.monitoring.effect`."""
    js: float
    """Jensen-Shannon distance, base 2, 0 to 1; of few rows judged as cautiously as ``psi``."""
    shift: float | None = None
    """Difference of the medians in standard deviations of the reference; None for categories."""
    importance: float | None = None
    """Share of the model's importance, 0 to 1; None where nobody measured it."""
    words: str = ""
    """``median 10 -> 6.2``."""
    since: datetime | None = None
    between: tuple[datetime, datetime] | None = None
    """Interval in which it began, as in `Alarm`."""
    says: str = ""
    """For people, after the column's name: ``fell from a median of 10 to 6.2``."""
    remark: str = ""
    """What follows, if anything: ``was it renamed upstream?``."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a change is expected to do to a figure of the model, before labels come."""

    figure: str
    """``log_loss``, ``rmse``."""
    before: float
    """On the test rows."""
    change: float
    """Difference to it; positive is worse."""
    low: float
    high: float
    """95% interval of the change."""
    rows: int
    """Rows behind the estimate."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor says that something changed, and how sure it is."""

    id: str
    kind: AlarmKind
    at: datetime
    subject: str
    """The column with the strongest evidence: a feature, ``score`` or ``loss``."""
    also: tuple[str, ...]
    """Other columns whose own evidence is sufficient (e-Benjamini-Hochberg)."""
    evidence: float
    """log10 of the combined e-value."""
    threshold: float
    """log10 of the value at which it alarms: -log10(alpha)."""
    promise: str
    """The stated false-alarm rate, in words."""
    effect: float
    """Population stability index of the subject since ``since`` against the reference."""
    since: datetime | None
    """Event time since which the change probably holds."""
    rows: int
    """Rows seen since the monitor started."""
    version: int
    """Model version whose reference it was held against."""
    message: str
    confirmed: bool | None = None
    """The ledger's later check on fresh rows; None until enough of them came."""
    between: tuple[datetime, datetime] | None = None
    """Interval in which the change began, at about 95%; None if rows came without times."""
    moved: tuple[Moved, ...] = ()
    """Columns that changed, by how far they moved times their importance to the model."""
    expected: Expected | None = None
    """What it is expected to do to the model; None where nothing can be expected yet."""
    harmless: bool | None = None
    """True if the expected effect is too small to matter, surely; None if nobody knows."""
    rows_since: int | None = None
    """Rows since the change when it alarmed; of ``performance``, those with a label."""
    labels_before: int | None = None
    """Of ``performance``: labels matched before the change, for a trigger that waits for more."""


DRY_RUN = "dry run"
"""`Decision.held_back` of a decision that only a dry run kept from retraining."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger that fired."""

    kind: TriggerKind
    reason: str
    alarms: tuple[str, ...] = ()
    """Ids of the alarms behind it, oldest first."""
    expected: Expected | None = None
    """What the newest of them that knows expects for the model."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The loop decided to retrain, or not to, and why."""

    id: str
    at: datetime
    retrain: bool
    kind: TriggerKind
    reason: str
    alarms: tuple[str, ...] = ()
    since: datetime | None = None
    """Only rows from this moment on train, as the world was another before; None for all."""
    held_back: str | None = None
    """What kept it from retraining though a trigger fired: ``cooldown``, ``budget``, ``quiet
    hours``, several of them with commas, or ``dry run``."""
    until: datetime | None = None
    """When nothing holds it back any longer; None if nothing does, and for a dry run."""
    causes: tuple[Cause, ...] = ()
    """Every trigger that fired at that moment; the first names the decision."""
    labels: int = 0
    """Labels matched to predictions until then."""
