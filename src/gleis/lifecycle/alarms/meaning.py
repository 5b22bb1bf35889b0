"""What an alarm means to the model: which columns matter, and what is to be expected."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gleis.config.settings import PerformanceTrigger, TriggerSettings
from gleis.contracts.alarm import Alarm, Expected, Moved
from gleis.contracts.evidence import Evidence
from gleis.monitoring.telling import write_message

ENOUGH = 200
"""Rows behind an expected change below which nobody calls it harmless."""


def give_meaning(
    alarm: Alarm, evidence: Evidence, expected: Expected | None, triggers: TriggerSettings
) -> Alarm:
    """Complete an alarm with what it means.

    The columns that moved are ranked by their Jensen-Shannon distance times their share of the
    model's importance; those whose importance nobody measured, such as the score, come after. The
    change is harmless where at least 200 rows say, with the upper end of their interval, that the
    loss rises by less than ``performance.min_effect``: whatever moved, the model does as well.

    Parameters
    ----------
    alarm : Alarm
        With ``moved`` as the watch knows it.
    evidence : Evidence
        Of the version it was held against, for the importance of its features.
    expected : Expected, optional
        What answers since the change are expected to be worth.
    triggers : TriggerSettings
        A rise below ``performance.min_effect`` does not matter.
    """
    if alarm.kind != "drift":
        return alarm
    shares = importance_shares(evidence)
    moved = [msgspec.structs.replace(one, importance=shares.get(one.column)) for one in alarm.moved]
    meant = msgspec.structs.replace(
        alarm,
        moved=tuple(sorted(moved, key=_weight)),
        expected=expected,
        harmless=_is_harmless(expected, triggers),
    )
    return msgspec.structs.replace(meant, message=write_message(meant))


def importance_shares(evidence: Evidence) -> dict[str, float]:
    """Return each feature's share of the model's importance; empty if nobody measured it.

    Permutation importance where there is one, else the SHAP summary; what is below zero, chance,
    counts as zero.
    """
    found: Mapping[str, Mapping[str, float]] = {
        one.method: {name: max(figure.value, 0.0) for name, figure in one.features.items()}
        for one in evidence.importance
    }
    values = found.get("permutation") or found.get("shap_summary") or {}
    total = sum(values.values())
    return {name: value / total for name, value in values.items()} if total else {}


def _weight(moved: Moved) -> tuple[bool, float]:
    """Sort the heaviest first, those of unknown importance last."""
    unknown = moved.importance is None
    return unknown, -moved.js * (1.0 if moved.importance is None else moved.importance)


def _is_harmless(expected: Expected | None, triggers: TriggerSettings) -> bool | None:
    if expected is None or expected.rows < ENOUGH:
        return None
    least = (triggers.performance or PerformanceTrigger()).min_effect
    return _loss_rise(expected) < least


def _loss_rise(expected: Expected) -> float:
    """Return the upper end of the rise of the mean loss, which ``min_effect`` is in.

    An expected RMSE is the root of a mean squared error.
    """
    if expected.figure != "rmse":
        return expected.high
    return (expected.before + expected.high) ** 2 - expected.before**2
