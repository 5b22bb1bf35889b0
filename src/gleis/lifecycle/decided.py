"""A decision of the loop in one sentence."""

from __future__ import annotations

from gleis.contracts.alarm import DRY_RUN, Decision


def say_decision(decision: Decision) -> str:
    """Return what was decided, why, what else spoke for it and what held it back.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from gleis.contracts.alarm import Cause
    >>> now = datetime(2013, 5, 25, 23, tzinfo=UTC)
    >>> causes = (
    ...     Cause(kind="drift", reason="`temp` drifted"),
    ...     Cause(kind="new_labels", reason="900 new labels"),
    ... )
    >>> say_decision(
    ...     Decision(
    ...         id="1",
    ...         at=now,
    ...         retrain=False,
    ...         kind="drift",
    ...         reason="`temp` drifted; waits until 2013-05-26 06:00: quiet hours",
    ...         held_back="quiet hours",
    ...         until=now.replace(day=26, hour=6),
    ...         causes=causes,
    ...     )
    ... )
    'waits until 2013-05-26 06:00 (quiet hours): `temp` drifted; also 900 new labels'
    """
    if not decision.causes:
        return decision.reason
    first, *others = decision.causes
    parts = [first.reason, *(f"also {cause.reason}" for cause in others)]
    return f"{_verb(decision)}: {'; '.join(parts)}"


def _verb(decision: Decision) -> str:
    if decision.until is not None:
        return f"waits until {decision.until:%Y-%m-%d %H:%M} ({decision.held_back})"
    if decision.held_back == DRY_RUN:
        return "dry run, would have retrained"
    return "retrains"
