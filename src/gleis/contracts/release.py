"""A release: how a new version takes over from the champion, and what is held against it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from gleis.contracts.deployment import Version

Strategy = Literal["champion", "shadow", "canary", "ab", "bandit"]
Trial = Literal["shadow", "canary", "ab", "bandit"]
"""The strategies that take time; ``champion`` promotes at once and leaves no release."""
Outcome = Literal["promoted", "rolled back", "ended", "replaced"]
Watched = Literal["errors", "latency", "loss", "score_shift"]
RowMetric = Literal["loss", "squared_error", "absolute_error", "brier", "accuracy", "outcome"]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about a challenger; fixed when its release starts."""

    metric: RowMetric = "loss"
    higher: bool = False
    """True if more of the metric is better."""
    margin: float = 0.01
    """Difference of the metric that does not matter, in its own unit."""
    watch: tuple[Watched, ...] = ("errors", "latency", "loss")
    """What rolls a challenger back."""
    false_rollbacks: float = 0.05
    """Probability, over the whole release, that a challenger as good as the champion is rolled
    back; shared equally among what is watched."""
    false_promotions: float = 0.05
    """Probability, over the whole release, that the evidence for a promotion deceives."""
    tolerance: float = 0.01
    """Share of failed, or of slow, calls by which the challenger may exceed the champion."""
    slow: float = 0.1
    """Seconds from which on a call of a model is slow."""
    score_shift: float = 0.5
    """Difference of the mean scores that is bad, in standard deviations of the champion's."""
    min_rows: int = 500
    """Labelled rows of the challenger before the metric decides anything."""
    horizon: float = 30 * 86400.0
    """Seconds after which a release without a decision ends; the champion stays."""
    promote: bool = True
    """False: evidence for the challenger is told, and a person promotes."""

    def alpha(self, watched: Watched) -> float:
        """Return the part of ``false_rollbacks`` that one watched thing may use up."""
        return self.false_rollbacks / len(self.watch) if watched in self.watch else 0.0


class Release(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="started"):
    """A challenger is tried beside a champion; appended, never changed."""

    id: str
    """The cause it was started for: the same cause starts once."""
    strategy: Trial
    champion: Version
    beside: str
    """Cause of the deployment that had made it champion: another one ends the release."""
    challenger: Version
    share: float
    """Probability with which a row is given to the challenger; for a shadow, who sees it."""
    least: float
    """The smallest propensity of either version that this release may use, (0, 0.5]."""
    rules: Rules
    at: datetime
    reason: str
    by: str
    override: str | None = None
    """Why a version that its verdict blocked is tried nevertheless."""

    @property
    def answers(self) -> bool:
        """Whether the challenger answers anybody."""
        return self.strategy != "shadow"


class Moved(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="moved"):
    """The share of a running release changed."""

    release: str
    share: float
    at: datetime
    reason: str
    by: str
    cause: str


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="ended"):
    """A release is over; the champion answers alone."""

    release: str
    outcome: Outcome
    at: datetime
    reason: str
    by: str


ReleaseFact = Release | Moved | Ended
