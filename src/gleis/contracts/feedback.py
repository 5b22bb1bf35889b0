"""What people think of an answer."""

from __future__ import annotations

from datetime import datetime

import msgspec

RATINGS = (1, 2, 3, 4, 5)
"""From 1, of no use, to 5, very good."""
LONGEST_TEXT = 4000
"""Characters of a text."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """A rating of one prediction, and what was said of it."""

    id: int
    """Counts up."""
    at: datetime
    prediction_id: str
    version: int
    """That gave the answer."""
    rating: int
    """One of ``RATINGS``."""
    text: str = ""
    by: str | None = None
    """Who says so, as the client put it: personal data, if it names a person."""
    caller: str | None = None
    """The key or token it came with; None where nobody has to say."""


class RatingSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The ratings of one version's answers."""

    version: int
    count: int
    mean: float
    """1 to 5."""
    by_rating: dict[str, int]
    """Rating -> how often; those that were given."""
