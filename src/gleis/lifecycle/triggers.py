"""The five triggers: on demand, schedule, new labels, performance, drift.

Pure functions of the settings and the situation, so that live and replayed decisions are one.
Only what a person asks for gets an id that no other has.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

import msgspec
from croniter import croniter

from gleis.config.durations import parse_budget, parse_duration, parse_every
from gleis.config.quiet import QuietHours
from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.contracts.alarm import DRY_RUN, Alarm, Cause, Decision, TriggerKind
from gleis.contracts.retraining import RetrainingRequest

AGAIN = "again, after a failure"
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
    ``lifecycle/alarms/alarms.py``, ``held_back``."""
    failed: str | None = None
    """Why the last training broke off, if it did."""
    kind: TriggerKind = "demand"
    """What had started it."""
    causes: tuple[Cause, ...] = ()
    """The triggers behind it."""
    since: datetime | None = None
    """It was to train on rows from this moment on only."""
    started: Sequence[datetime] = ()
    """When trainings were started that a trigger wanted and that did not break off, oldest
    first: what the budget counts."""
    labels: int = 0
    """Labels matched to predictions so far."""


class _Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What holds a trigger back, and until when."""

    names: tuple[str, ...]
    until: datetime


def decide(triggers: TriggerSettings, situation: Situation) -> Decision | None:
    """Say whether to retrain now, and why.

    A trigger that cooldown, budget or quiet hours hold back is not lost: the decision is asked for
    again at the next look, and fires when they end if its reason still stands.

    Returns
    -------
    Decision or None
        None if no trigger says anything; ``retrain=False`` if one does but is held back.
    """
    causes = find_causes(triggers, situation)
    if not causes:
        return None
    held = _hold(triggers, situation)
    first = causes[0]
    fresh = triggers.performance is not None and triggers.performance.since_change is not None
    decision = Decision(
        id=f"{situation.now:%Y%m%dT%H%M%S}-{first.kind}",
        at=situation.now,
        retrain=held is None,
        kind=first.kind,
        reason=first.reason,
        alarms=first.alarms,
        causes=causes,
        labels=situation.labels,
        since=_since(first, situation) if fresh else None,
    )
    if held is not None:
        names = ", ".join(held.names)
        reason = f"{first.reason}; waits until {held.until:%Y-%m-%d %H:%M}: {names}"
        return msgspec.structs.replace(decision, reason=reason, held_back=names, until=held.until)
    if triggers.dry_run and first.kind != "demand":
        reason = f"dry run, would have retrained because {first.reason}"
        return msgspec.structs.replace(decision, reason=reason, retrain=False, held_back=DRY_RUN)
    return decision


def find_causes(triggers: TriggerSettings, situation: Situation) -> tuple[Cause, ...]:
    """Return every trigger that fires, the one that names the decision first.

    The loss, as it is known, comes before the inputs, and both before the calendar. A training that
    broke off is tried again after `RETRY`, whatever else fires.
    """
    if situation.failed is not None:
        return _again(situation)
    alarms = [
        alarm
        for alarm in standing(triggers, situation.alarms)
        if alarm.id not in situation.held and not _waits(triggers, situation, alarm)
    ]
    early = triggers.performance is not None and triggers.performance.before_labels
    found = [
        _alarmed("performance", triggers.performance, alarms, ("performance",)),
        _alarmed("performance", triggers.performance, alarms, ("estimate",)) if early else None,
        _alarmed("drift", triggers.drift, alarms, ("drift",)),
        _scheduled(triggers.schedule, situation),
        _labelled(triggers.new_labels, situation),
    ]
    return tuple(cause for cause in found if cause is not None)


def standing(triggers: TriggerSettings, alarms: Iterable[Alarm]) -> list[Alarm]:
    """Return the alarms that are a reason to retrain.

    Not those that the later check found wrong, and not those whose change is surely harmless,
    unless ``drift.harmless = "alarm"``.
    """
    harmless = (triggers.drift or DriftTrigger()).harmless
    return [
        alarm
        for alarm in alarms
        if alarm.confirmed is not False and not (alarm.harmless is True and harmless == "record")
    ]


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


def asked(now: datetime, request: RetrainingRequest) -> Decision:
    """Return the decision to do what a person asked the running loop for; it has the same id."""
    return Decision(
        id=request.id,
        at=now,
        retrain=True,
        kind="demand",
        reason=f"on demand, by {request.by}: {request.reason}",
    )


def next_scheduled(line: str, after: datetime) -> datetime:
    """Return the first moment of a cron line (UTC) or ``every 30d`` after ``after``."""
    if line.startswith("every "):
        return after + parse_every(line, "triggers.schedule")
    moment: datetime = croniter(line, after).get_next(datetime)
    return moment


def _waits(triggers: TriggerSettings, situation: Situation, alarm: Alarm) -> bool:
    """Say whether too few labels have come since the change to train on them alone."""
    wanted = triggers.performance.since_change if triggers.performance is not None else None
    if wanted is None or alarm.labels_before is None:
        return False
    return situation.labels - alarm.labels_before < wanted


def _since(cause: Cause, situation: Situation) -> datetime | None:
    """Return when the change began that labels have shown; of a new attempt, as at the first."""
    if situation.failed is not None:
        return situation.since
    alarms = [alarm for alarm in situation.alarms if alarm.id in cause.alarms]
    found = [alarm.since for alarm in alarms if alarm.labels_before is not None]
    return found[-1] if found else None


def _again(situation: Situation) -> tuple[Cause, ...]:
    """Try a training that broke off once more, an hour later."""
    if situation.now < situation.trained + RETRY:
        return ()
    wanted = [cause for cause in situation.causes if not cause.reason.startswith(AGAIN)]
    alarms = wanted[0].alarms if wanted else ()
    return (
        Cause(kind=situation.kind, reason=f"{AGAIN}: {situation.failed}", alarms=alarms),
        *wanted,
    )


def _alarmed(
    kind: TriggerKind,
    trigger: DriftTrigger | PerformanceTrigger | None,
    alarms: Sequence[Alarm],
    kinds: tuple[str, ...],
) -> Cause | None:
    found = [alarm for alarm in alarms if alarm.kind in kinds]
    if trigger is None or not found:
        return None
    expected = [alarm.expected for alarm in found if alarm.expected is not None]
    return Cause(
        kind=kind,
        reason=found[-1].message,
        alarms=tuple(alarm.id for alarm in found),
        expected=expected[-1] if expected else None,
    )


def _scheduled(line: str | None, situation: Situation) -> Cause | None:
    if line is None:
        return None
    due = next_scheduled(line, situation.trained)
    if situation.now < due:
        return None
    return Cause(kind="schedule", reason=f"scheduled ({line}), due {due:%Y-%m-%d %H:%M}")


def _labelled(wanted: int | None, situation: Situation) -> Cause | None:
    if wanted is None or situation.new_labels < wanted:
        return None
    reason = f"{situation.new_labels} new labels since the last training"
    return Cause(kind="new_labels", reason=reason)


def _hold(triggers: TriggerSettings, situation: Situation) -> _Hold | None:
    """Return what keeps triggers from retraining now; a person is kept by nothing."""
    now, again = situation.now, situation.failed is not None
    if again and situation.kind == "demand":
        return None
    rest = parse_duration(triggers.cooldown, "triggers.cooldown")
    ends = {
        "cooldown": now if again else situation.trained + rest,
        "budget": _budget_end(triggers.budget, situation),
        "quiet hours": _quiet_end(triggers.quiet, now),
    }
    names = tuple(name for name, end in ends.items() if end > now)
    if not names:
        return None
    # Cooldown and budget may end within later quiet hours.
    return _Hold(names=names, until=_quiet_end(triggers.quiet, max(ends.values())))


def _budget_end(budget: str | None, situation: Situation) -> datetime:
    """Return the moment from which the period before it holds fewer than the budget."""
    if budget is None:
        return situation.now
    count, period = parse_budget(budget, "triggers.budget")
    if len(situation.started) < count:
        return situation.now
    return situation.started[-count] + period


@cache
def _quiet(entries: tuple[str, ...]) -> QuietHours:
    return QuietHours(entries)


def _quiet_end(entries: tuple[str, ...], moment: datetime) -> datetime:
    return _quiet(entries).until(moment) if entries else moment
