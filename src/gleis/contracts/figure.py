"""A number and how well it is known."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number and the interval it is known to."""

    value: float
    low: float
    """Lower end of the interval (percentile bootstrap unless said otherwise)."""
    high: float
    level: float = 0.95
    """Coverage of the interval."""
