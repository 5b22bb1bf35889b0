"""Which notices there are to be told, and what each says; pure functions of the ledger's facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from gleis.config.settings import Settings, TriggerSettings
from gleis.contracts.alarm import Alarm, Decision
from gleis.contracts.notice import Event, Handled, Notice, Told, Waiting, alarm_state
from gleis.lifecycle.alarms.alarms import is_told
from gleis.lifecycle.journal import Journal, Trained


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows of all alarms, read in one go."""

    alarms: dict[str, Alarm]
    """By id, in the order in which they were raised."""
    handled: Mapping[str, Sequence[Handled]]
    decisions: list[Decision]
    trainings: list[Trained]
    told: dict[tuple[str, str], Told]
    """By notice and receiver."""


def read_story(journal: Journal) -> Story:
    """Read the ledger."""
    return Story(
        alarms={alarm.id: alarm for alarm in journal.alarms()},
        handled=journal.handled(),
        decisions=journal.decisions(),
        trainings=journal.trainings(),
        told={(told.notice, told.receiver): told for told in journal.told()},
    )


def find_untold(
    story: Story, settings: Settings, receivers: Mapping[str, int], now: datetime
) -> list[Waiting]:
    """Return what each receiver has still to be told.

    Of an alarm: that it is there, that a snooze of it ended, that it is resolved. The last two
    only to whoever was told the first.

    Parameters
    ----------
    story : Story
    settings : Settings
        ``alarms.kinds``, and what becomes of harmless drift.
    receivers : mapping of str to int
        By name, the number of the first alarm it is told of.
    now : datetime
    """
    found = []
    for number, alarm in enumerate(story.alarms.values()):
        if not is_announced(alarm, settings):
            continue
        first = f"{alarm.id}/alarm"
        later = list(_later(alarm, story.handled.get(alarm.id, ()), now))
        for receiver, begin in receivers.items():
            if number < begin:
                continue
            told = story.told.get((first, receiver))
            if told is None:
                found.append(_waiting(alarm, first, "alarm", receiver, now))
            elif told.outcome == "delivered":
                found += [
                    _waiting(alarm, notice, event, receiver, now)
                    for notice, event in later
                    if (notice, receiver) not in story.told
                ]
    return found


def is_announced(alarm: Alarm, settings: Settings) -> bool:
    """Say whether anybody is told of an alarm."""
    kinds = settings.alarms.kinds
    return is_told(alarm, settings) and (not kinds or alarm.kind in kinds)


def next_reminder(story: Story, now: datetime) -> datetime | None:
    """Return when the next snooze ends; None if no alarm is snoozed."""
    ends = [
        done[-1].until
        for done in story.handled.values()
        if done[-1].status == "snoozed" and done[-1].until is not None and done[-1].until > now
    ]
    return min(ends, default=None)


def _later(alarm: Alarm, handled: Sequence[Handled], now: datetime) -> Iterable[tuple[str, Event]]:
    if not handled:
        return
    last = handled[-1]
    if last.status == "resolved":
        yield f"{alarm.id}/resolved", "resolved"
    elif last.status == "snoozed" and last.until is not None and last.until <= now:
        yield f"{alarm.id}/reminder-{last.until:%Y%m%dT%H%M%S}", "reminder"


def _waiting(alarm: Alarm, notice: str, event: Event, receiver: str, now: datetime) -> Waiting:
    return Waiting(notice=notice, alarm=alarm.id, event=event, receiver=receiver, since=now)


def make_notice(waiting: Waiting, story: Story, settings: Settings, now: datetime) -> Notice:
    """Write the notice that waits, as things stand now."""
    alarm = story.alarms[waiting.alarm]
    state = alarm_state(alarm, story.handled.get(alarm.id, ()), now)
    at = alarm.at if waiting.event == "alarm" else state.at
    return Notice(
        id=waiting.notice,
        event=waiting.event,
        project=settings.project.name,
        at=at,
        alarm=alarm,
        state=state,
        response=response(alarm, story, settings.triggers),
        link=settings.alarms.link,
    )


def response(alarm: Alarm, story: Story, triggers: TriggerSettings) -> str:
    """Say what gleis did about an alarm by itself, or will do."""
    decided = [decision for decision in story.decisions if alarm.id in decision.alarms]
    if decided:
        return _decided(decided[-1], story.trainings)
    name = _trigger(alarm, triggers)
    if name is None:
        return "nothing by itself: no trigger answers such an alarm. By hand: gleis run --refresh"
    if triggers.dry_run:
        return "nothing: triggers.dry_run records what would be retrained, and retrains nothing"
    return f"{name} answers it with a retraining, once cooldown, budget and quiet hours allow"


def _trigger(alarm: Alarm, triggers: TriggerSettings) -> str | None:
    """Return the trigger that answers an alarm."""
    loss = triggers.performance
    answering = {
        "drift": triggers.drift is not None,
        "performance": loss is not None,
        "estimate": loss is not None and loss.before_labels,
    }
    kind = "performance" if alarm.kind == "estimate" else alarm.kind
    return f"triggers.{kind}" if answering.get(alarm.kind) else None


def _decided(decision: Decision, trainings: Sequence[Trained]) -> str:
    if decision.until is not None:
        until = f"{decision.until:%Y-%m-%d %H:%M} UTC"
        return f"it retrains, but not before {until}: {decision.held_back} holds it back"
    if not decision.retrain:
        return f"nothing: {decision.held_back}; it would have retrained"
    came = next((one for one in trainings if one.decision == decision.id), None)
    if came is None:
        return f"it retrains, since {decision.at:%Y-%m-%d %H:%M} UTC"
    if came.error is not None:
        return f"its retraining failed and is tried again in an hour: {came.error}"
    if came.promoted:
        return f"it retrained: version {came.version} is live"
    return (
        f"it retrained, but version {came.version} is not promoted: gleis show v{came.version} "
        "says why"
    )
