"""What a person made of an answer that waited for one."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Review(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer, labelled or dismissed; of several the last counts."""

    prediction_id: str
    at: datetime
    by: str
    """``user@host``."""
    version: int
    """Which had answered."""
    label: str | float | None = None
    """What is true: a class as text, or a number; None if the answer was dismissed."""
    entity: str | None = None
    """The project's own id of the row: by it the label joins the training data."""
    note: str = ""


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that waits."""

    prediction_id: str
    at: datetime
    """When it was given."""
    outlier: float | None
    """Its outlier score."""
