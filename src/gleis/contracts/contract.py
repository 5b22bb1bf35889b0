"""The model's interface: what a row must hold and what comes back."""

from __future__ import annotations

from typing import Literal

import msgspec

from gleis.contracts.checks import RequestChecks
from gleis.contracts.features import ServedFeatures

Kind = Literal["number", "integer", "category", "boolean"]
Task = Literal["binary", "multiclass", "regression"]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One input: its name, kind and what training saw of it."""

    name: str
    kind: Kind
    nullable: bool = False
    """True if training saw missing values; only then may a request leave it null."""
    low: float | None = None
    """Smallest value seen (numbers and integers)."""
    high: float | None = None
    categories: tuple[str, ...] | None = None
    """Categories seen, sorted. Another one is served, and counted as unseen."""
    unit: str | None = None


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs and output of a model."""

    task: Task
    features: tuple[Column, ...]
    target: str
    classes: tuple[str, ...] | None = None
    """Class labels as text, in the order of the score columns; None for regression.

    For a binary task ``classes[1]`` is the positive class, whose probability is the score.
    """
    id: str | None = None
    """Column that names a row for its owner; a request may carry it, the model never sees it."""
    time: str | None = None
    """Column of the event time; a request may carry it, the model sees it only if a feature."""
    served: ServedFeatures | None = None
    """Features that a request may leave out: they are looked up or computed."""
    checks: RequestChecks | None = None
    """What the project's checks ask of rows of requests; None: nothing."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order the model wants them."""
        return tuple(column.name for column in self.features)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the features that a request must hold."""
        served = set(self.served.features) if self.served is not None else set()
        return tuple(name for name in self.names if name not in served)

    @property
    def carried(self) -> tuple[str, ...]:
        """What a request may carry that is no feature: id, time, what others are looked up by."""
        looked_up_by = self.served.fields + self.served.times if self.served is not None else ()
        named = [name for name in (self.id, self.time, *looked_up_by) if name is not None]
        return tuple(dict.fromkeys(name for name in named if name not in self.names))
