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
    joins: bool = False
    """Whether the row came with the project's own id: by it the label joins the training data. The
    id itself stands in the prediction log only, from which it can be erased."""
    entity: str | None = None
    """The id, in facts of earlier versions; none is written any more."""
    note: str = ""


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that waits."""

    prediction_id: str
    at: datetime
    """When it was given."""
    outlier: float | None
    """Its outlier score."""
