"""Figures the loop keeps about what is live, for ``/metrics``, pages and programs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class LiveFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One value, named as Prometheus names it."""

    name: str
    """``gleis_drift_evidence``, without the ``_total`` of a counter."""
    value: float
    labels: dict[str, str] = {}
    """Of a bounded number of values: features, figures, kinds of alarms; nothing a client sends."""
    help: str
    """One sentence, the same for all of a name."""
    kind: Literal["gauge", "counter"] = "gauge"


class LiveFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the loop last wrote down."""

    at: datetime
    figures: tuple[LiveFigure, ...] = ()
