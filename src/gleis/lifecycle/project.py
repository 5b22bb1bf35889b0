"""A project in Python: open it, run it, ask it, replay it.

Opening is light. What needs polars, scikit-learn or MLflow is imported by the method that needs
it, here and nowhere else in this room, so that a run with nothing to do does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gleis.config.load import load_settings
from gleis.config.settings import Settings
from gleis.contracts.clock import Clock, SimulatedClock, SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import RegistryError
from gleis.contracts.run import Run
from gleis.lifecycle.alarms.alarms import ProjectAlarms
from gleis.lifecycle.results import Backtest, Tick
from gleis.lifecycle.shown import RunResult
from gleis.lifecycle.unchanged import find_unchanged
from gleis.store.home import open_home

if TYPE_CHECKING:
    from gleis.lifecycle.data.project_data import ProjectData
    from gleis.lifecycle.reproduction import Reproduction
    from gleis.lifecycle.workbench import Workbench
    from gleis.registry.callers import Callers
    from gleis.registry.versions import Registry

Tell = Callable[[str, str], None]


class Project:
    """A folder with ``gleis.toml`` and a Python module.

    Parameters
    ----------
    folder : Path
    settings : Settings
    clock : Clock, optional
        By default the machine's.

    Examples
    --------
    ``Project.open("punctuality").run()`` trains, examines, judges, packages, registers and
    promotes; in a notebook the result shows itself.
    """

    def __init__(self, folder: Path, settings: Settings, clock: Clock | None = None) -> None:
        self.folder = folder
        self.settings = settings
        self.clock = clock or SystemClock()
        self.home = open_home(folder, settings)
        self.alarms = ProjectAlarms(settings, self.home, self.clock)
        """What was told, and what was done about it."""

    @classmethod
    def open(
        cls,
        path: str | Path = ".",
        flags: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
    ) -> Project:
        """Open the project in ``path``.

        Parameters
        ----------
        path : str or Path
            Folder with ``gleis.toml``.
        flags : mapping, optional
            Dotted settings that win over file and environment: ``{"serve.port": 9000}``.
        as_of : datetime, optional
            Pretend it is this moment: later rows and labels are not known.

        Raises
        ------
        ConfigError
            Naming file, line and key.
        """
        folder = Path(path).resolve()
        settings = load_settings(folder, flags)
        return cls(folder, settings, SimulatedClock(as_of) if as_of else None)

    @cached_property
    def bench(self) -> Workbench:
        """The project's stores, trainer and registry."""
        from gleis.lifecycle.workbench import Workbench

        self.home.create()
        return Workbench(self.folder, self.settings, self.home, self.clock)

    def run(self, *, refresh: bool = False, tell: Tell | None = None) -> RunResult:
        """Carry the data through to a judged version; promote it if its gates let it.

        Parameters
        ----------
        refresh : bool
            Ask the source for new rows even if neither code nor settings changed.
        tell : callable (step, detail), optional

        Returns
        -------
        RunResult
            ``unchanged`` is True if all of it had been done before; then nothing was done.
        """
        self.home.create()
        if not refresh:
            found = find_unchanged(self.folder, self.settings, self.home, self.clock)
            if found is not None:
                return RunResult(found)
        from gleis.lifecycle.journey import run_on_demand

        if tell is not None:
            self.bench.tell = tell
        return RunResult(run_on_demand(self.bench))

    def reproduce(self, run: str) -> Reproduction:
        """Repeat a run from its record and compare model and predictions."""
        from gleis.lifecycle.reproduce import reproduce

        return reproduce(self.bench, self.find_run(run))

    @property
    def data(self) -> ProjectData:
        """The project's dataset versions."""
        from gleis.lifecycle.data.project_data import ProjectData

        return ProjectData(self.bench)

    @property
    def registry(self) -> Registry:
        """Versions, aliases and, in ``deployments``, what was live when."""
        return self.bench.registry

    @property
    def callers(self) -> Callers:
        """Who may ask the service, and their keys."""
        from gleis.registry.callers import Callers

        return Callers(self.home, self.clock)

    def runs(self) -> list[Run]:
        """Return the runs, oldest first, each as last recorded."""
        found = [msgspec.json.decode(body, type=Run) for body in self.home.facts.all("run")]
        return list({run.id: run for run in found}.values())

    def find_run(self, ref: str) -> Run:
        """Return the run whose id is, or begins with, ``ref``; or that of version ``v3``.

        Raises
        ------
        RegistryError
            If there is none, or more than one.
        """
        runs = self.runs()
        if ref.startswith("v") and ref[1:].isdigit():
            ref = self.bench.registry.get(ref).run
        found = [run for run in runs if run.id.startswith(ref)]
        if len(found) != 1:
            what = "there is no such run" if not found else "more than one run begins so"
            known = ", ".join(run.id for run in runs[-5:]) or "none yet"
            raise RegistryError(what, seen=ref, remedy=f"The newest runs: {known}.")
        return found[0]

    def promote(self, ref: str, reason: str, override: str | None = None) -> Version:
        """Make a version champion by hand."""
        from gleis.lifecycle.promotion import promote_by_hand

        return promote_by_hand(self.bench, ref, reason, override)

    def rollback(self, reason: str) -> Version:
        """Make the previous champion champion again."""
        from gleis.lifecycle.promotion import rollback

        return rollback(self.bench, reason)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Ask the champion in this process; answers are logged as over HTTP."""
        from gleis.lifecycle.asking import predict

        return predict(self.bench, rows)

    def label(self, labels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Record what turned out to be true."""
        from gleis.lifecycle.asking import label

        return label(self.bench, labels)

    def monitor(self) -> tuple[Tick, dict[str, Any]]:
        """Look once at what is new, without retraining; return what was found and the state.

        Receivers of ``[alarms]`` are told of what is found, unless a running loop tells them.
        """
        from gleis.lifecycle.alarms.announcing import telling
        from gleis.lifecycle.watching import look

        with telling(self.settings, self.home, self.clock):
            return look(self.bench)

    def backtest(
        self,
        since: datetime,
        until: datetime,
        policies: Sequence[str] | None = None,
        step: str = "1d",
        on_step: Callable[..., None] | None = None,
        *,
        grid: Mapping[str, Sequence[Any]] | None = None,
        changes: Sequence[datetime] = (),
        split: datetime | None = None,
        workers: int = 1,
    ) -> Backtest:
        """Replay policies, and a grid of them, over history; see ``lifecycle/backtests``."""
        from gleis.lifecycle.backtests.backtest import backtest

        return backtest(
            self.bench,
            since,
            until,
            policies,
            step,
            on_step,
            grid=grid,
            changes=changes,
            split=split,
            workers=workers,
        )

    def report(self, result: Backtest, path: Path | None = None) -> Path:
        """Write the HTML report of a backtest; by default into the state folder."""
        from gleis.lifecycle.backtests.report import write_report

        first = next((run for run in self.runs() if run.kind == "model"), None)
        return write_report(result, path or self.home.reports / f"{result.id}.html", first)

    def serve(self, started: Callable[[str, int], None], *, insecure_dev: bool = False) -> None:
        """Serve the champion until told to stop; follow promotions.

        ``insecure_dev`` serves packages whoever signed them, and warns of it.
        """
        from gleis.lifecycle.service_process import make_app, on_the_wire, open_port
        from gleis.serving.run import serve

        wire = on_the_wire(self.settings, self.folder)
        listening = open_port(self.settings, self.home)
        if self.settings.serve.workers > 1:
            from gleis.lifecycle.workers import run_workers

            run_workers(self.settings, self.folder, listening, started, insecure_dev=insecure_dev)
            return
        app = make_app(self.settings, self.home, self.clock, self.folder, insecure_dev=insecure_dev)
        serve(app, listening, started=started, **wire)

    def up(
        self,
        started: Callable[[str, int], None],
        on_tick: Callable[[Tick], None] | None = None,
        *,
        insecure_dev: bool = False,
    ) -> None:
        """Serve with the loop beside it until told to stop; ``insecure_dev`` as for ``serve``."""
        from gleis.lifecycle.up import run_up

        self.bench.insecure_dev = insecure_dev
        run_up(self.bench, started, on_tick)

    def status(self) -> dict[str, Any]:
        """Return what is live, what was decided last and what waits."""
        from gleis.lifecycle.status import status

        self.home.create()
        return status(self.settings, self.home, self.clock)
