"""What a verified caller may do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from gleis.contracts.caller import Caller, Limit

_EVERYTHING = frozenset({"predict", "label", "observe", "retrain"})


class Grant(NamedTuple):
    """A verified caller, made once and looked up by every request."""

    caller: str
    """A key's id, or a token's subject."""
    roles: frozenset[str]
    """Roles of routes that it may use."""
    slot: int
    """Where its rate is kept."""
    limit: Limit | None = None
    expires: datetime | None = None
    refusal: str | None = None
    """Why it may do nothing any more."""
    elsewhere: bool = False
    """True if it may ask other models only."""
    counted: str = "token"
    """As which it is counted: a key's id. Subjects of tokens are without number."""


def allowed(roles: Iterable[str]) -> frozenset[str]:
    """Return the roles of routes that a caller's roles open.

    Examples
    --------
    >>> sorted(allowed(["admin"]))
    ['label', 'observe', 'predict', 'retrain']
    >>> sorted(allowed(["label", "unheard of"]))
    ['label']
    """
    given = set(roles)
    return _EVERYTHING if "admin" in given else _EVERYTHING & given


def grant_of(caller: Caller, slot: int, model: str, limit: Limit | None) -> Grant:
    """Return what a caller with a key may do with ``model``; ``limit`` holds if it has none."""
    elsewhere = bool(caller.models) and model not in caller.models
    return Grant(
        caller=caller.id,
        roles=frozenset() if elsewhere else allowed(caller.roles),
        slot=slot,
        limit=caller.limit or limit,
        expires=caller.expires,
        refusal="is revoked" if caller.revoked else None,
        elsewhere=elsewhere,
        counted=caller.id,
    )
