"""What a process that replays one policy is told, and what it says."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.config.settings import Settings
from gleis.lifecycle.backtests.policies import Policy
from gleis.lifecycle.backtests.replayed import Span
from gleis.lifecycle.results import PolicyResult, Tick


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One policy to replay."""

    folder: str
    """Of the project."""
    settings: Settings
    policy: Policy
    span: Span
    start: str
    """Folder of the state it begins with."""
    home: str
    """Folder of its own state."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process says: a step, at the end the result, or why there is none."""

    at: datetime | None = None
    tick: Tick | None = None
    result: PolicyResult | None = None
    failed: tuple[str, str, str, str] | None = None
    """Kind of the error, what, seen, remedy."""
