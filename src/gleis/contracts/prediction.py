"""What was answered, and what turned out to be true."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Role = Literal["champion", "challenger", "shadow"]
Reason = Literal["error", "timeout", "outlier", "unavailable", "features"]


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows that one version answered together, with their answers, by column: what the log writes.

    Every list is ``rows`` long.
    """

    at: datetime
    """When it was answered."""
    version: int
    """Model version that answered."""
    digest: str
    fallback: bool
    """True if the baseline answered in the model's place."""
    rows: int
    features: dict[str, list[Any]]
    scores: list[Any]
    """float per row (binary, regression) or a list of floats (multiclass)."""
    entities: list[str | None]
    """The project's own id of each row, as text, where the request carried it."""
    times: list[datetime | None]
    """Event time of each row, where the request carried it."""
    flags: dict[str, list[int]]
    """``"distance: out of range"`` -> positions of the rows concerned."""
    role: Role = "champion"
    """Why this version saw the rows: it is the champion, on trial, or looks on unanswered."""
    share: float = 1.0
    """Probability with which such rows were given to this version (its propensity)."""
    reason: Reason | None = None
    """Why the baseline answered in the model's place; None if the model answered."""
    outliers: list[float] | None = None
    """Outlier score of each row; None if the package has no outlier model. NaN if erased."""
    seconds: float | None = None
    """Seconds the model took for all rows together."""
    beside: list[Any] | None = None
    """What the champion answered about the same rows, if this version only looked on."""
    erased: list[int] = []
    """Positions of rows whose data was erased: features, entity and time are None, no flag is
    raised, the score is kept."""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one prediction; either key will do."""

    value: str | int | float | bool
    prediction_id: str | None = None
    entity: str | None = None
    """The project's own id of the row."""
    at: datetime | None = None
    """When the truth was known; None means when it was received."""


class LabelReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch of labels; all of them are kept."""

    accepted: int
    unknown: tuple[str, ...]
    """Prediction ids not (yet) in the log; joined if the prediction arrives."""
    changed: tuple[str, ...]
    """Prediction ids that had another label before; both are kept, the later one counts."""
