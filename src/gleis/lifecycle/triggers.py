"""The five triggers: on demand, schedule, new labels, performance, drift.

Pure functions of the settings and the situation, so that live and replayed decisions are one.
Only what a person asks for gets an id that no other has.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from croniter import croniter

from gleis.config.durations import parse_duration, parse_every
from gleis.config.settings import TriggerSettings
from gleis.contracts.alarm import Alarm, Decision, TriggerKind

RETRY = timedelta(hours=1)
"""Time after which a training that broke off is tried again."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What the loop knows when it decides."""

    now: datetime
    trained: datetime
    """When the last training was started, whether its candidate was promoted or not."""
    new_labels: int
    """Labels matched to predictions since then."""
    alarms: Sequence[Alarm]
    """Alarms since then, oldest first."""
    held: Mapping[str, str] = {}
    """Those of them that start nothing, by id, and why: ``snoozed by jo@host until ...``; see
    ``lifecycle/alarms.py``, ``held_back``."""
    failed: str | None = None
    """Why the last training broke off, if it did."""
    kind: TriggerKind = "demand"
    """What had started it."""


def decide(triggers: TriggerSettings, situation: Situation) -> Decision | None:
    """Say whether to retrain now, and why.

    Returns
    -------
    Decision or None
        None if no trigger says anything; ``retrain=False`` if one does but the cooldown holds.
    """
    if situation.failed is not None:
        return _again(situation)
    found = _first(triggers, situation)
    if found is None:
        return None
    kind, reason, alarms = found
    rest = parse_duration(triggers.cooldown, "triggers.cooldown")
    until = situation.trained + rest
    waits = situation.now < until
    if waits:
        reason = f"{reason}; waits until {until:%Y-%m-%d %H:%M}, the end of the cooldown"
    return Decision(
        id=f"{situation.now:%Y%m%dT%H%M%S}-{kind}",
        at=situation.now,
        retrain=not waits,
        kind=kind,
        reason=reason,
        alarms=alarms,
    )


def _again(situation: Situation) -> Decision | None:
    """Try a training that broke off once more, an hour later."""
    if situation.now < situation.trained + RETRY:
        return None
    return Decision(
        id=f"{situation.now:%Y%m%dT%H%M%S}-{situation.kind}",
        at=situation.now,
        retrain=True,
        kind=situation.kind,
        reason=f"again, after a failure: {situation.failed}",
    )


def on_demand(now: datetime, by: str) -> Decision:
    """Return the decision of a person who wants a run now.

    Its id is its own: the same journey promotes once, but a person may ask twice at one moment,
    as ``--as-of`` does by its nature.
    """
    return Decision(
        id=f"{now:%Y%m%dT%H%M%S}-demand-{secrets.token_hex(4)}",
        at=now,
        retrain=True,
        kind="demand",
        reason=f"on demand, by {by}",
    )


def next_scheduled(line: str, after: datetime) -> datetime:
    """Return the first moment of a cron line (UTC) or ``every 30d`` after ``after``."""
    if line.startswith("every "):
        return after + parse_every(line, "triggers.schedule")
    moment: datetime = croniter(line, after).get_next(datetime)
    return moment


def _first(
    triggers: TriggerSettings, situation: Situation
) -> tuple[TriggerKind, str, tuple[str, ...]] | None:
    """Return the first trigger that fires: kind, reason, ids of the alarms behind it."""
    wanted = {"drift": triggers.drift is not None, "performance": triggers.performance is not None}
    kinds: tuple[TriggerKind, ...] = ("performance", "drift")
    for kind in kinds:
        alarms = [a for a in situation.alarms if a.kind == kind and a.id not in situation.held]
        if wanted[kind] and alarms:
            return kind, alarms[-1].message, tuple(alarm.id for alarm in alarms)
    if triggers.schedule is not None:
        due = next_scheduled(triggers.schedule, situation.trained)
        if situation.now >= due:
            return "schedule", f"scheduled ({triggers.schedule}), due {due:%Y-%m-%d %H:%M}", ()
    if triggers.new_labels is not None and situation.new_labels >= triggers.new_labels:
        return "new_labels", f"{situation.new_labels} new labels since the last training", ()
    return None
