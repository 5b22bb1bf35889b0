"""The loop's own facts: alarms, what was done about them, decisions, trainings and failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from gleis.contracts.alarm import Alarm, Decision
from gleis.contracts.notice import Handled, Told
from gleis.contracts.ports import FactStore
from gleis.contracts.retraining import Trained
from gleis.lifecycle.results import Outcome

__all__ = ["Journal", "Trained"]


class Journal:
    """Reads and writes the loop's facts.

    Parameters
    ----------
    facts : FactStore
    """

    def __init__(self, facts: FactStore) -> None:
        self._facts = facts
        self._done: tuple[Sequence[Handled], dict[str, list[Handled]]] = ((), {})
        """What was done as it was last seen, and the same by alarm."""

    def write_alarm(self, alarm: Alarm) -> None:
        """Record an alarm, or what the later check said of it."""
        body = msgspec.json.encode(alarm)
        if self._facts.latest("alarm", alarm.id) != body:
            self._facts.append("alarm", alarm.id, body, alarm.at)

    def write_news(
        self, alarms: Sequence[Alarm], checked: Sequence[Alarm], recorded: Sequence[Alarm]
    ) -> None:
        """Record what one look brought: alarms, what the later check said, and harmless drifts.

        The last are facts of another kind: nothing that acts on alarms meets them.
        """
        for alarm in (*alarms, *checked):
            self.write_alarm(alarm)
        for alarm in recorded:
            self._facts.append_once("recorded", alarm.id, msgspec.json.encode(alarm), alarm.at)

    def recorded(self) -> list[Alarm]:
        """Return the drifts that were sure and harmless, oldest first."""
        return list(self._facts.decoded("recorded", Alarm))

    def write_decision(self, decision: Decision) -> bool:
        """Record a decision; one that is held back until some moment is recorded once.

        Returns
        -------
        bool
            False if it waits for the same as the last one, and nothing was recorded.
        """
        last = self.last_decision()
        if last is not None and _waits_again(last, decision):
            return False
        body = msgspec.json.encode(decision)
        self._facts.append_once("decision", decision.id, body, decision.at)
        return True

    def write_trained(self, decision: Decision, labels: int, outcome: Outcome) -> None:
        """Record what came of a decision."""
        self._write(
            Trained(
                decision=decision.id,
                at=decision.at,
                labels=labels,
                run=outcome.run.id,
                version=outcome.version.number,
                promoted=outcome.promoted,
                kind=decision.kind,
            )
        )

    def write_failure(self, decision: Decision, error: str, labels: int) -> None:
        """Record that a journey failed."""
        self._write(
            Trained(
                decision=decision.id,
                at=decision.at,
                labels=labels,
                error=error,
                kind=decision.kind,
            )
        )

    def _write(self, trained: Trained) -> None:
        body = msgspec.json.encode(trained)
        self._facts.append_once("trained", trained.decision, body, trained.at)

    def trainings(self) -> list[Trained]:
        """Return all journeys, oldest first."""
        return list(self._facts.decoded("trained", Trained))

    def last_trained(self) -> Trained | None:
        """Return the newest journey."""
        trainings = self.trainings()
        return trainings[-1] if trainings else None

    def alarms(self, since: datetime | None = None, *, recorded: bool = False) -> list[Alarm]:
        """Return alarms after ``since``, each as last recorded, oldest first.

        Parameters
        ----------
        since : datetime, optional
        recorded : bool
            Harmless drifts before them, of which nobody was told.
        """
        newest = {alarm.id: alarm for alarm in (self.recorded() if recorded else ())}
        newest |= {alarm.id: alarm for alarm in self._facts.decoded("alarm", Alarm)}
        return [alarm for alarm in newest.values() if since is None or alarm.at > since]

    def write_handled(self, handled: Handled) -> None:
        """Record what was done about an alarm."""
        self._facts.append("handled", handled.alarm, msgspec.json.encode(handled), handled.at)

    def handled(self) -> Mapping[str, Sequence[Handled]]:
        """Return what was done about each alarm, by its id, oldest first."""
        done = self._facts.decoded("handled", Handled)
        if done is not self._done[0]:
            found: dict[str, list[Handled]] = {}
            for handled in done:
                found.setdefault(handled.alarm, []).append(handled)
            self._done = done, found
        return self._done[1]

    def write_told(self, told: Told) -> bool:
        """Record what became of a notice, once; return whether it was not known yet."""
        key = f"{told.notice}/{told.receiver}"
        return self._facts.append_once("told", key, msgspec.json.encode(told), told.at)

    def was_told(self, notice: str, receiver: str) -> bool:
        """Say whether it is known what became of a notice."""
        return self._facts.latest("told", f"{notice}/{receiver}") is not None

    def told(self) -> list[Told]:
        """Return what became of every notice, oldest first."""
        return list(self._facts.decoded("told", Told))

    def decisions(self) -> list[Decision]:
        """Return all decisions, oldest first."""
        return list(self._facts.decoded("decision", Decision))

    def last_decision(self) -> Decision | None:
        """Return the newest decision."""
        decisions = self.decisions()
        return decisions[-1] if decisions else None


def _waits_again(last: Decision, now: Decision) -> bool:
    """Say whether both wait for the same; the reason may count on, as that of new labels does."""
    if last.until is None or now.until is None:
        return False
    return (last.kind, last.alarms, last.until) == (now.kind, now.alarms, now.until)
