"""What is known about a column's change, as alarms and summaries carry it."""

from __future__ import annotations

from typing import Any

from gleis.contracts.alarm import Moved
from gleis.monitoring.drift import Change
from gleis.monitoring.telling import say_moved


def describe_move(column: str, change: Change) -> Moved:
    """Return a column's change as alarms carry it."""
    return Moved(
        column=column,
        psi=change.effect,
        js=change.js,
        shift=change.shift,
        words=change.words,
        since=change.since,
        between=change.between,
        says=change.told.says,
        remark=change.told.remark,
    )


def plain_move(moved: Moved) -> dict[str, Any]:
    """Write a change in plain types."""
    return {
        "change": moved.words,
        "since": moved.since.isoformat() if moved.since else None,
        "between": [moment.isoformat() for moment in moved.between] if moved.between else None,
        "effect": moved.psi,
        "js": moved.js,
        "shift": moved.shift,
        "importance": moved.importance,
        "in_words": "; ".join(say_moved(moved)),
    }
