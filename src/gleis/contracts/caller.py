"""Who may ask the service for what."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

CallerRole = Literal["predict", "label", "observe", "retrain", "admin"]
"""``predict`` asks for answers, ``label`` says what was true, ``observe`` reads metrics,
statistics and pages, ``retrain`` asks the loop for a retraining, ``admin`` may do all of it."""

ROLES: tuple[CallerRole, ...] = get_args(CallerRole)


class Limit(msgspec.Struct, frozen=True):
    """So many requests in a period: as many at once, then evenly.

    Examples
    --------
    >>> str(Limit(100, 1.0)), str(Limit(6000, 60.0)), str(Limit(5, 7.0))
    ('100 per second', '6000 per minute', '5 per 7 seconds')
    """

    count: int
    seconds: float

    def __str__(self) -> str:
        """Return it as it is written in settings."""
        names = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}
        return f"{self.count} per {names.get(self.seconds, f'{self.seconds:g} seconds')}"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A caller with an API key, as the ledger keeps it: the key itself is not in it."""

    id: str
    """Also the key's visible beginning: ``gleis_ID_...``."""
    name: str
    """What people call it: ``web shop``."""
    digest: str
    """SHA-256 (hex) of the whole key."""
    roles: tuple[CallerRole, ...]
    created: datetime
    by: str
    """``user@host`` that made it."""
    models: tuple[str, ...] = ()
    """Models it may ask; empty means any."""
    limit: Limit | None = None
    expires: datetime | None = None
    revoked: datetime | None = None

    def refusal(self, at: datetime) -> str | None:
        """Say why the key no longer opens anything at ``at``; None if it does."""
        if self.revoked is not None:
            return "is revoked"
        if self.expires is not None and at >= self.expires:
            return "has expired"
        return None
