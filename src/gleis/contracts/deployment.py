"""Registered versions and the history of what was live when."""

from __future__ import annotations

from datetime import datetime

import msgspec

CHAMPION = "champion"
PREVIOUS = "previous"
BASELINE = "baseline"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A package in the registry."""

    number: int
    digest: str
    """SHA-256 over the package's files."""
    location: str
    """Folder of the package, relative to the state folder or absolute."""
    run: str
    registered_at: datetime
    passed: bool
    """Whether its verdict let it through."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """An alias was set to a version; appended, never changed."""

    alias: str
    version: Version
    at: datetime
    reason: str
    by: str
    """``user@host`` or ``loop``."""
    cause: str
    """Idempotency key: the same cause deploys once."""
