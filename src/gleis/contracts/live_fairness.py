"""Groups of people in production, beside the test rows."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.contracts.fairness import Fairness


class LiveFairness(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the window, and those of the test rows."""

    version: int
    since: datetime
    until: datetime
    answers: int
    """Of the window, whose group is known."""
    unknown: int
    """Of the window, whose group is not."""
    labelled: int
    """Mature answers with a label."""
    live: Fairness | None
    """None before the first answer whose group is known."""
    evidence: Fairness | None
    notes: tuple[str, ...] = ()
