"""Alarms and what was done about them: open, acknowledged, snoozed, resolved.

Every change of state is a fact of the ledger, with who, when and why; the state itself is never
written down. It follows from the facts and the time, so that it cannot contradict them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Literal

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.alarm import Alarm, AlarmKind, Decision
from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Deployment
from gleis.contracts.errors import BlockedError, ConfigError, RegistryError
from gleis.contracts.notice import AlarmState, Handled, Told, Waiting, alarm_state, short_id
from gleis.lifecycle.journal import Journal
from gleis.store.home import Home

_LISTED = ("open", "acknowledged", "snoozed", "recorded", "resolved")
"""The order in which states are shown."""


_BESIDE: frozenset[AlarmKind] = frozenset({"labels", "service", "source"})
"""Kinds that are about no model, so that another one answers nothing."""
_GONE = ("the later rows", "two days in a row do not show the change any more")


class StandingAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm and how things stand with it."""

    short: str
    """To be typed: ``gleis alarms ack 3f9a1c``."""
    alarm: Alarm
    state: AlarmState


class AlarmStory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one alarm."""

    short: str
    alarm: Alarm
    state: AlarmState
    history: tuple[Handled, ...]
    decisions: tuple[Decision, ...]
    """What the loop decided because of it."""
    told: tuple[Told, ...]
    """Who was told, and who could not be."""
    waiting: tuple[Waiting, ...] = ()
    """Who has still to be told."""


def is_told(alarm: Alarm, settings: Settings) -> bool:
    """Say whether anybody is told of an alarm: not if it is surely harmless, unless asked."""
    drift = settings.triggers.drift
    return not alarm.harmless or (drift is not None and drift.harmless == "alarm")


def held_back(
    alarms: Sequence[Alarm], handled: Mapping[str, Sequence[Handled]], now: datetime
) -> dict[str, str]:
    """Return the alarms that start no retraining, and why, for the decision's reason.

    Acknowledging does not stop the loop; snoozing and resolving hold it back for that alarm.

    Returns
    -------
    dict of str to str
        Id of the alarm -> ``snoozed by jo@host until 2013-07-04 12:00 UTC``.
    """
    states = {alarm.id: alarm_state(alarm, handled.get(alarm.id, ()), now) for alarm in alarms}
    return {name: state.words for name, state in states.items() if state.holds_back}


def find_answered(
    alarms: Sequence[Alarm],
    handled: Mapping[str, Sequence[Handled]],
    champion: Deployment | None,
    now: datetime,
    gone: Sequence[Alarm] = (),
) -> list[Handled]:
    """Return the resolutions that follow by themselves; a pure function.

    An alarm is answered when another version than the one it is about is promoted after it (but
    labels that stay away are not), when rows that came later did not confirm it, and when its
    change is among those that have ``gone``.
    """
    over = {alarm.id for alarm in gone}
    found = []
    for alarm in alarms:
        if _is_resolved(handled.get(alarm.id)):
            continue
        answer = _GONE if alarm.id in over else _answer(alarm, champion)
        if answer is not None:
            by, note = answer
            found.append(Handled(alarm=alarm.id, status="resolved", at=now, by=by, note=note))
    return found


def _answer(alarm: Alarm, champion: Deployment | None) -> tuple[str, str] | None:
    if alarm.confirmed is False:
        return "the later check", "the rows that came after it do not show the change"
    if alarm.kind in _BESIDE or champion is None or champion.at < alarm.at:
        return None
    if champion.version.number == alarm.version:
        return None
    return f"version {champion.version.number}", "promoted after the alarm"


def resolve_answered(
    journal: Journal, champion: Deployment | None, now: datetime, gone: Sequence[Alarm] = ()
) -> list[Handled]:
    """Record the resolutions that follow by themselves, and return them."""
    answered = find_answered(journal.alarms(), journal.handled(), champion, now, gone)
    for handled in answered:
        journal.write_handled(handled)
    return answered


class ProjectAlarms:
    """A project's alarms: what ``gleis alarms`` does.

    Parameters
    ----------
    settings : Settings
    home : Home
    clock : Clock
    journal : Journal, optional
        Of ``home``; one that was asked before need not be read again.
    """

    def __init__(
        self, settings: Settings, home: Home, clock: Clock, journal: Journal | None = None
    ) -> None:
        self._settings = settings
        self._home = home
        self._clock = clock
        self._known = journal

    def all(self) -> list[StandingAlarm]:
        """Return every alarm: open ones first, then by state; of each the newest first."""
        journal = self._journal()
        handled = journal.handled()
        found = [self._standing(alarm, handled) for alarm in journal.alarms()]
        found += [self._standing(alarm, handled, recorded=True) for alarm in journal.recorded()]
        return _in_order(found)

    def standing(self) -> list[StandingAlarm]:
        """Return those that are neither resolved nor only recorded."""
        journal = self._journal()
        handled = journal.handled()
        # In a long life nearly all are resolved: of these no state is made.
        found = [
            self._standing(alarm, handled)
            for alarm in journal.alarms()
            if not _is_resolved(handled.get(alarm.id))
        ]
        found += [
            self._standing(alarm, handled, recorded=True)
            for alarm in journal.recorded()
            if alarm.id in handled and not _is_resolved(handled[alarm.id])
        ]
        return _in_order([one for one in found if one.state.status != "recorded"])

    def show(self, ref: str) -> AlarmStory:
        """Return everything that is known of an alarm.

        Raises
        ------
        RegistryError
            There is no such alarm, or more than one.
        """
        one, journal = self.find(ref), self._journal()
        return AlarmStory(
            short=one.short,
            alarm=one.alarm,
            state=one.state,
            history=tuple(journal.handled().get(one.alarm.id, ())),
            decisions=tuple(d for d in journal.decisions() if one.alarm.id in d.alarms),
            told=tuple(told for told in journal.told() if told.alarm == one.alarm.id),
            waiting=tuple(w for w in self.untold() if w.alarm == one.alarm.id),
        )

    def untold(self) -> list[Waiting]:
        """Return who has still to be told of what."""
        if self._home.database is None and not (self._home.folder / "outbox.db").exists():
            return []
        return self._home.outbox.waiting()

    def find(self, ref: str) -> StandingAlarm:
        """Return the alarm whose short id or id is, or begins with, ``ref``.

        Raises
        ------
        RegistryError
            There is none, or more than one.
        """
        alarms = self.all()
        exact = [one for one in alarms if ref in {one.short, one.alarm.id}]
        found = exact or [
            one for one in alarms if ref and (one.short.startswith(ref) or _begins(one, ref))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(one.short for one in found[:8])
            raise RegistryError(
                "More than one alarm begins so",
                seen=ref,
                remedy=f"Write more of it: {names}.",
                field="alarm",
            )
        raise RegistryError(
            "There is no such alarm", seen=ref, remedy=_nearest(ref, alarms), field="alarm"
        )

    def acknowledge(self, ref: str, *, by: str, note: str = "") -> StandingAlarm:
        """Say that somebody looks after an alarm. The loop goes on: it may retrain because of it.

        Raises
        ------
        RegistryError
            There is no such alarm, or more than one.
        BlockedError
            It is resolved already.
        """
        return self._handle(self._unresolved(ref), "acknowledged", by, note)

    def snooze(self, ref: str, until: datetime, *, by: str, note: str = "") -> StandingAlarm:
        """Let an alarm rest until a moment; until then it starts no retraining.

        Raises
        ------
        RegistryError, BlockedError
            As for ``acknowledge``.
        ConfigError
            The moment has passed.
        """
        now = self._clock.now()
        if until <= now:
            raise ConfigError(
                "A snooze must end in the future",
                seen=f"{until:%Y-%m-%d %H:%M} UTC",
                remedy=f"It is {now:%Y-%m-%d %H:%M} UTC. Write a duration, such as 1d, or a later "
                "moment.",
                field="until",
            )
        return self._handle(self._unresolved(ref), "snoozed", by, note, until)

    def resolve(self, ref: str, *, by: str, note: str = "") -> StandingAlarm:
        """Say that an alarm is done with, for good: it starts no retraining any more.

        Raises
        ------
        RegistryError, BlockedError
            As for ``acknowledge``.
        """
        return self._handle(self._unresolved(ref), "resolved", by, note)

    def _unresolved(self, ref: str) -> StandingAlarm:
        one = self.find(ref)
        if one.state.status == "resolved":
            raise BlockedError(
                f"Alarm {one.short} is resolved already, {one.state.at:%Y-%m-%d %H:%M} UTC "
                f"by {one.state.by}",
                remedy="There is nothing left to do about it; a change that lasts alarms again.",
                field="alarm",
            )
        return one

    def _handle(
        self,
        one: StandingAlarm,
        status: Literal["acknowledged", "snoozed", "resolved"],
        by: str,
        note: str,
        until: datetime | None = None,
    ) -> StandingAlarm:
        handled = Handled(
            alarm=one.alarm.id,
            status=status,
            at=self._clock.now(),
            by=by,
            note=note.strip(),
            until=until,
        )
        self._journal().write_handled(handled)
        return self._standing(one.alarm, {one.alarm.id: [handled]})

    def _standing(
        self,
        alarm: Alarm,
        handled: Mapping[str, Sequence[Handled]],
        *,
        recorded: bool = False,
    ) -> StandingAlarm:
        told = not recorded and is_told(alarm, self._settings)
        state = alarm_state(alarm, handled.get(alarm.id, ()), self._clock.now(), told=told)
        return StandingAlarm(short=short_id(alarm.id), alarm=alarm, state=state)

    def _journal(self) -> Journal:
        if self._known is None:
            self._known = Journal(self._home.facts)
        return self._known


def _is_resolved(done: Sequence[Handled] | None) -> bool:
    return done is not None and len(done) > 0 and done[-1].status == "resolved"


def _in_order(alarms: list[StandingAlarm]) -> list[StandingAlarm]:
    """Return open ones first, then by state; of each the newest first."""
    newest = sorted(alarms, key=lambda one: one.alarm.at, reverse=True)
    return sorted(newest, key=lambda one: _LISTED.index(one.state.status))


def _begins(one: StandingAlarm, ref: str) -> bool:
    return one.alarm.id.startswith(ref)


def _nearest(ref: str, alarms: Sequence[StandingAlarm]) -> str:
    if not alarms:
        return "There are no alarms yet."
    names = [one.short for one in alarms] + [one.alarm.id for one in alarms]
    near = get_close_matches(ref, names, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else "See gleis alarms --all."
