"""Which observers there are."""

from __future__ import annotations

from collections.abc import Mapping

from gleis.lifecycle.observers.observer import Maker

OBSERVERS: Mapping[str, Maker] = {}
"""Name -> maker, in the order in which they see and are shown."""
TESTING = ("estimate", "labels", "fairness", "joint")
"""Those that test something share ``monitor.false_alarms`` evenly."""
