"""A run a person asks for: the same line, done directly."""

from __future__ import annotations

from datetime import datetime

from gleis.lifecycle.journal import Journal
from gleis.lifecycle.line import carry
from gleis.lifecycle.results import Outcome
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.workbench import Workbench, whoami


def run_on_demand(bench: Workbench, until: datetime | None = None) -> Outcome:
    """Carry what is known now, or rows before ``until``, through the line.

    Steps are kept by content, so a run that was killed goes on where it stopped when it is
    started again.
    """
    decision = on_demand(bench.clock.now(), whoami())
    journal = Journal(bench.home.facts)
    outcome = carry(bench, decision, until or bench.known_until())
    journal.write_decision(decision)
    journal.write_trained(decision, bench.home.log.counts().matched, outcome)
    return outcome
