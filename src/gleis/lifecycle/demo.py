"""The demo: nine months of flights, lived through in simulated time."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gleis.contracts.dataset import DatasetVersion
from gleis.lifecycle.asking import open_service
from gleis.lifecycle.backtests.backtest import (
    OnStep,
    bench_for,
    finish,
    load_arrivals,
    make_start,
    replay_policy,
)
from gleis.lifecycle.backtests.policies import read_policy
from gleis.lifecycle.backtests.replay_job import Job
from gleis.lifecycle.backtests.replayed import Span
from gleis.lifecycle.backtests.side_by_side import SideBySide
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.project import Project
from gleis.lifecycle.results import Backtest, Outcome, PolicyResult, Tick

SINCE = datetime(2013, 4, 1, 4, tzinfo=UTC)
"""Midnight in New York: January to March is known."""
UNTIL = datetime(2014, 1, 1, 5, tzinfo=UTC)
STEP = timedelta(days=1)
RIVALS = ("never", "monthly")
_BESIDE = "monthly"
"""Takes as long as the two others together: it is replayed beside them, on another processor."""


class Demo:
    """The demo's story, a step a method.

    Parameters
    ----------
    folder : Path
        The project, made from the template ``flights``.
    until : datetime, optional
        Where the replay ends.
    """

    def __init__(self, folder: Path, until: datetime = UNTIL) -> None:
        self.project = Project.open(folder, as_of=SINCE)
        self.bench = self.project.bench
        self.span = Span(since=SINCE, until=until, step=STEP)

    def data(self) -> DatasetVersion:
        """Make the first dataset version: what was known at the start."""
        return self.project.data.add()

    def train(self, tell: Callable[[str, str], None]) -> Outcome:
        """Lay the heuristic, train the first model, promote it if it passes."""
        return self.project.run(tell=tell).outcome

    def replay(self, on_step: OnStep) -> Backtest:
        """Live through the rest of the year under the project's triggers, and under rivals'."""
        told = _one_at_a_time(on_step)
        name = f"{self.bench.settings.project.name}-demo"
        folder = self.bench.home.folder / "backtests" / name
        folder.mkdir(parents=True, exist_ok=True)
        with Workflows(folder) as workflows:
            start = make_start(self.bench, SINCE, folder, workflows)
        with SideBySide(2, told).beside([self._job(start, folder / _BESIDE)]) as others:
            done = self._replay_here(start, folder, told)
            done[_BESIDE] = others.result()[0]
        shutil.rmtree(start)
        results = [done[policy] for policy in (*RIVALS, "project")]
        return finish(self.bench, name, self.span, "1d", results)

    def _replay_here(self, start: Path, folder: Path, told: OnStep) -> dict[str, PolicyResult]:
        """Replay the project's triggers on its own state, then the rivals that are not beside."""
        triggers = self.bench.settings.triggers
        arrivals = load_arrivals(self.bench, self.span.since, self.span.until)
        own = read_policy("project", triggers)
        with Workflows(self.bench.home, self.bench) as workflows:
            lived = replay_policy(self.bench, workflows, own, arrivals, self.span, told)
        done = {"project": lived}
        with Workflows(folder) as workflows:
            for rival in RIVALS:
                if rival == _BESIDE:
                    continue
                policy = read_policy(rival, triggers)
                bench = bench_for(self.bench, policy, SINCE, start, folder / rival)
                done[rival] = replay_policy(bench, workflows, policy, arrivals, self.span, told)
                bench.home.close()
        return done

    def _job(self, start: Path, home: Path) -> Job:
        return Job(
            folder=str(self.bench.folder),
            settings=self.bench.settings,
            policy=read_policy(_BESIDE, self.bench.settings.triggers),
            span=self.span,
            start=str(start),
            home=str(home),
        )

    def example(self) -> dict[str, Any]:
        """Return a row to try: the last flight seen, as a request carries it."""
        package = open_service(self.bench).package
        return {name: values[-1] for name, values in package.examples.features.items()}


def _one_at_a_time(on_step: OnStep) -> OnStep:
    """Return the same for steps that are told from several threads."""
    lock = threading.Lock()

    def told(policy: str, at: datetime, tick: Tick) -> None:
        with lock:
            on_step(policy, at, tick)

    return told
