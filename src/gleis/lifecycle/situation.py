"""What the loop knows when it decides, read from its facts."""

from __future__ import annotations

from datetime import datetime

from gleis.config.settings import TriggerSettings
from gleis.contracts.alarm import DRY_RUN, Decision
from gleis.lifecycle.alarms.alarms import held_back
from gleis.lifecycle.journal import Journal, Trained
from gleis.lifecycle.triggers import Situation


def find_situation(
    journal: Journal, triggers: TriggerSettings, labels: int, now: datetime
) -> Situation | None:
    """Return what triggers are decided on; None before the first training.

    In a dry run a decision to retrain counts as if it had been carried out: alarms before it are
    answered, labels and the schedule count from it, and so do cooldown and budget. Once the dry run
    ends only what was trained counts.

    Parameters
    ----------
    journal : Journal
    triggers : TriggerSettings
    labels : int
        Labels matched to predictions so far.
    now : datetime
    """
    trainings = journal.trainings()
    if not trainings:
        return None
    last = trainings[-1]
    started = [t.at for t in trainings if t.kind != "demand" and t.error is None]
    dry = [d for d in journal.decisions() if d.held_back == DRY_RUN] if triggers.dry_run else []
    if dry:
        started = sorted([*started, *(decision.at for decision in dry)])
    if dry and dry[-1].at > last.at:
        alarms = journal.alarms(since=dry[-1].at)
        return Situation(
            now=now,
            trained=dry[-1].at,
            new_labels=labels - dry[-1].labels,
            alarms=alarms,
            held=held_back(alarms, journal.handled(), now),
            started=started,
            labels=labels,
        )
    wanted = _behind(journal, last) if last.error is not None else None
    alarms = journal.alarms(since=last.at)
    return Situation(
        now=now,
        trained=last.at,
        new_labels=labels - last.labels,
        alarms=alarms,
        held=held_back(alarms, journal.handled(), now),
        failed=last.error,
        kind=last.kind,
        causes=wanted.causes if wanted is not None else (),
        since=wanted.since if wanted is not None else None,
        started=started,
        labels=labels,
    )


def _behind(journal: Journal, trained: Trained) -> Decision | None:
    """Return the decision that a training carried out."""
    found = [one for one in journal.decisions() if one.id == trained.decision]
    return found[-1] if found else None
