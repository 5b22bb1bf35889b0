"""What the prediction log gives back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gleis.contracts.prediction import Batch, Role
from gleis.store.log.ids import format_id


class Logged(msgspec.Struct, frozen=True):
    """One batch as the log keeps it."""

    seq: int
    """The entry (one commit) it is part of: the cursor for ``read``."""
    token: str
    offset: int
    """Position of the batch's first row within the entry."""
    batch: Batch

    @property
    def ids(self) -> list[str]:
        """Prediction ids of the rows, (rows,)."""
        return [
            format_id(self.seq, self.offset + row, self.token) for row in range(self.batch.rows)
        ]


class Matched(msgspec.Struct, frozen=True):
    """A prediction and its truth."""

    cursor: int
    """Where to read on."""
    prediction_id: str
    predicted_at: datetime
    event_time: datetime | None
    version: int
    score: Any
    """float, or a list of floats (multiclass)."""
    value: str | int | float | bool
    """The label."""
    label_at: datetime
    """When the truth was known."""
    fallback: bool
    """True if the baseline answered in the model's place."""
    relabelled: bool
    """True if this prediction was matched before; this value counts now."""
    entity: str | None = None
    """The project's own id of the row."""
    role: Role = "champion"
    share: float = 1.0
    """Probability with which such rows were given to this version."""
    beside: Any = None
    """What the champion answered, if this version only looked on."""
    former: str | int | float | bool | None = None
    """The label before, if there was one."""


class LogCounts(msgspec.Struct, frozen=True):
    """How many of each the log holds."""

    predictions: int
    labels: int
    matched: int
    """Predictions with a label, each once."""
    pending: int
    """Labels whose prediction is not in the log (yet)."""
    fallbacks: int
    """Predictions that the baseline answered in the model's place."""


class Tally(msgspec.Struct):
    """How many answers a version gave, and when."""

    answers: int = 0
    fallbacks: int = 0
    """Of them, those that the baseline gave in its place."""
    first: datetime | None = None
    last: datetime | None = None

    def add(self, rows: int, at: datetime, fallback: bool) -> None:
        """Count answers of one moment."""
        self.answers += rows
        self.fallbacks += rows * fallback
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)


class GivenLabel(msgspec.Struct, frozen=True):
    """A label that was received for a prediction."""

    value: str | int | float | bool
    at: datetime
    received: datetime


class LoggedRow(msgspec.Struct, frozen=True):
    """All that is known about one prediction."""

    prediction_id: str
    at: datetime
    version: int
    digest: str
    fallback: bool
    features: dict[str, Any]
    score: Any
    entity: str | None
    event_time: datetime | None
    flags: list[str]
    """Names of the flags raised for this row."""
    labels: list[GivenLabel]
    """Oldest first; the last one counts."""
    outlier: float | None = None
    """Its outlier score, where the version had an outlier model."""
    erased: bool = False
    """True if its data was erased: only the score is left."""
