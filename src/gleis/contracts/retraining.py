"""A retraining that somebody asked a running loop for, and what came of a journey."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.contracts.alarm import TriggerKind


class RetrainingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants a retraining now. Appended to the ledger, never changed."""

    id: str
    """Also the id of the loop's decision to carry it out, so that it is carried out once."""
    number: int
    """Counts requests, from 1."""
    at: datetime
    reason: str
    by: str
    """A key's id or a token's subject; ``anybody`` where nobody has to say."""
    key: str | None = None
    """The caller's ``Idempotency-Key``."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """A journey was made, whatever came of it."""

    decision: str
    at: datetime
    labels: int
    """Labels matched until then, for the trigger that counts new ones."""
    run: str | None = None
    version: int | None = None
    promoted: bool = False
    error: str | None = None
    kind: TriggerKind = "demand"
    """What had started it."""
