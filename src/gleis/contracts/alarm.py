"""Alarms, and the decisions taken on them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

TriggerKind = Literal["demand", "schedule", "new_labels", "performance", "drift"]


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor says that something changed, and how sure it is."""

    id: str
    kind: Literal["drift", "performance"]
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


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The loop decided to retrain, or not to, and why."""

    id: str
    at: datetime
    retrain: bool
    kind: TriggerKind
    reason: str
    alarms: tuple[str, ...] = ()
