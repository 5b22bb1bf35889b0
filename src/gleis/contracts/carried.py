"""A fact on its way between a project and the store it shares with others."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Carried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact of a ledger, with what is needed to trust it elsewhere."""

    kind: str
    key: str
    body: msgspec.Raw
    """JSON, byte for byte as the ledger has it."""
    sha256: str
    """Of the body."""
    by: str
    """``user@host`` who pushed it."""
    at: datetime
    """When it was pushed."""
    files: dict[str, str] = {}
    """Files of a table that came with it -> SHA-256: the table's own log holds no hashes."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fact of this ledger came from, if it was not made here."""

    kind: str
    key: str
    sha256: str
    """Of the fact's body."""
    by: str
    """``user@host`` who pushed it."""
    pushed_at: datetime
    remote: str
    """From where it was pulled."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What one push or pull did."""

    remote: str
    facts: dict[str, tuple[str, ...]]
    """Kind -> keys of the facts that are new at the other side: ``{"run": ("r2013...",)}``."""
    known: int
    """Facts that were there before."""
    objects: int
    """Objects that were copied."""
    size: int
    """Bytes of them."""
    there: int
    """Objects that were there before: of an earlier attempt."""
    untrusted: tuple[str, ...] = ()
    """Files of public keys that came along and that this project does not trust."""
