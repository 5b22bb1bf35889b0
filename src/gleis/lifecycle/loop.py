"""The loop.

::

    prediction log + labels -> monitors -> alarms -> trigger -> retraining
          ^                                                         |
          |                                                         v
       serving <------- registry <---- package <---- verdict <---- run

One ``tick`` looks once at everything that is new. Live, a process ticks every few seconds; in a
replay, every simulated day. Both are this class.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gleis.config.settings import TriggerSettings
from gleis.contracts.alarm import Decision
from gleis.contracts.errors import GleisError
from gleis.lifecycle.alarms.alarms import resolve_answered
from gleis.lifecycle.decided import say_decision
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.releasing import Releasing
from gleis.lifecycle.results import Outcome, Tick
from gleis.lifecycle.situation import find_situation
from gleis.lifecycle.triggers import asked, decide
from gleis.lifecycle.watching import Watching
from gleis.lifecycle.workbench import Workbench
from gleis.registry.retrainings import Retrainings

Retrain = Callable[[Workbench, Decision], Outcome]


class Loop:
    """Monitors, triggers and retraining of one project.

    Parameters
    ----------
    bench : Workbench
    retrain : callable (Workbench, Decision) -> Outcome
        Carries a decision through the line, durably or directly.
    triggers : TriggerSettings, optional
        What starts a retraining; by default the bench's. Monitors watch as the bench says.
    """

    def __init__(
        self, bench: Workbench, retrain: Retrain, triggers: TriggerSettings | None = None
    ) -> None:
        self.bench = bench
        self.journal = Journal(bench.home.facts)
        self.watching = Watching(bench)
        self.releasing = Releasing(bench)
        self.retrainings = Retrainings(bench.home, bench.clock)
        self._retrain = retrain
        self._triggers = triggers or bench.settings.triggers

    def resume(self) -> Outcome | None:
        """Carry out the last decision of a process that ended before it could say what came of it.

        A decision names its workflow: one that had begun goes on where it stopped, and one that
        had ended is read. Without this the trigger behind it would fire once more.
        """
        decision = unfinished(self.journal, self.retrainings)
        if decision is None:
            return None
        outcome = self._act(decision)
        self.watching.keep()
        return outcome

    def tick(self) -> Tick:
        """Look at what is new, raise alarms, decide, and retrain if so decided."""
        now = self.bench.clock.now()
        news = self.watching.observe(now)
        self.journal.write_news(news.alarms, news.checked, news.recorded)
        for alarm in news.alarms:
            self.bench.tell("alarm", alarm.message)
        for alarm in news.recorded:
            self.bench.tell("recorded", alarm.message)
        resolve_answered(self.journal, self.bench.deployments.champion(), now, news.gone)
        # Before deciding: who resumes a retraining that was killed knows what led to it.
        self.watching.keep()
        release = self.releasing.tick(now)
        # Whoever is on trial is the answer to the last trigger: it is waited for.
        decision, new = None, False
        if self.releasing.running is None:
            decision, new = self._asked(now) or self._decide(now)
        outcome = self._act(decision) if decision and decision.retrain else None
        if outcome is not None:
            self.watching.keep()
            resolve_answered(self.journal, self.bench.deployments.champion(), now)
        return Tick(
            at=now,
            predictions=news.predictions,
            labels=news.labels,
            alarms=news.alarms,
            recorded=news.recorded,
            decision=decision,
            held=new and decision is not None and not decision.retrain,
            outcome=outcome,
            release=release,
        )

    def _asked(self, now: datetime) -> tuple[Decision, bool] | None:
        """Take up what a person asked for; neither cooldown nor budget holds it back."""
        request = self.retrainings.waiting()
        if request is None:
            return None
        decision = asked(now, request)
        return decision, self.journal.write_decision(decision)

    def _decide(self, now: datetime) -> tuple[Decision | None, bool]:
        """Decide, and record it; say whether that was new."""
        situation = find_situation(self.journal, self._triggers, self.watching.labels, now)
        decision = decide(self._triggers, situation) if situation is not None else None
        if decision is None:
            return None, False
        new = self.journal.write_decision(decision)
        if new and not decision.retrain:
            self.bench.tell("held back", say_decision(decision))
        return decision, new

    def _act(self, decision: Decision) -> Outcome | None:
        """Retrain; a journey that fails is recorded, and the service goes on."""
        self.bench.tell("trigger", decision.reason)
        try:
            outcome = self._retrain(self.bench, decision)
        except GleisError as error:
            self.journal.write_failure(decision, str(error), self.watching.labels)
            self.bench.tell("failed", str(error))
            return None
        self.journal.write_trained(decision, self.watching.labels, outcome)
        self.watching.rearm()
        return outcome


def unfinished(journal: Journal, retrainings: Retrainings) -> Decision | None:
    """Return the last decision to retrain, if nothing says what came of it."""
    requested = {request.id for request in retrainings.all()}
    decided = [
        decision
        for decision in journal.decisions()
        # A run that a person started by hand is theirs to start again.
        if decision.retrain and (decision.kind != "demand" or decision.id in requested)
    ]
    done = {trained.decision for trained in journal.trainings()}
    return decided[-1] if decided and decided[-1].id not in done else None
