"""A small project with a simulated clock, and its first champion."""

from __future__ import annotations

from datetime import UTC, datetime

from gleis.config.load import load_settings
from gleis.contracts.clock import SimulatedClock
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.workbench import Workbench
from gleis.store.home import Home

START = datetime(2024, 2, 21, tzinfo=UTC)
ROW = {"price": 10.0, "pages": 3, "channel": "web"}


def open_bench(folder, flags=None):
    """Open a project at ``START``."""
    home = Home(folder / ".gleis")
    home.create()
    settings = load_settings(folder, flags, environment={})
    return Workbench(folder, settings, home, SimulatedClock(START), tracked=False)


def first(bench, workflows):
    """Train the first champion."""
    decision = on_demand(START, "test")
    outcome = workflows.retrain(bench, decision)
    Journal(bench.home.facts).write_trained(decision, 0, outcome)
    return outcome


def with_champion(folder, flags=None):
    """Open a project and train its first champion."""
    bench = open_bench(folder, flags)
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
    return bench
