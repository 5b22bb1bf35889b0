"""Backtest the policy, not only the model: replay it over history, beside others."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import polars as pl

from gleis.config.durations import parse_duration
from gleis.contracts.alarm import Decision
from gleis.contracts.clock import SimulatedClock, utc
from gleis.contracts.errors import ConfigError, DataError
from gleis.data.beside import tables_open
from gleis.data.contract import infer_contract
from gleis.data.source import load_rows
from gleis.lifecycle.backtests.frontier import best_before, best_in, find_frontier
from gleis.lifecycle.backtests.grid import Grid, choose_policies
from gleis.lifecycle.backtests.policies import Policy
from gleis.lifecycle.backtests.replay import Replay
from gleis.lifecycle.backtests.replay_job import Job
from gleis.lifecycle.backtests.replayed import Span, Spent, summarise
from gleis.lifecycle.backtests.side_by_side import SideBySide
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.results import Backtest, PolicyResult, Tick
from gleis.lifecycle.tracked import track_backtest
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.workbench import Workbench, whoami
from gleis.store.home import Home, forget_predictions

OnStep = Callable[[str, datetime, Tick], None]
_FIGURES = {
    "binary": ("log_loss", "roc_auc", "brier"),
    "multiclass": ("log_loss", "accuracy"),
    "regression": ("rmse", "mae", "r2"),
}
_START = "start"
"""Folder of the state that all policies begin with."""


def backtest(
    bench: Workbench,
    since: datetime,
    until: datetime,
    policies: Sequence[str] | None = None,
    step: str = "1d",
    on_step: OnStep | None = None,
    *,
    grid: Grid | None = None,
    changes: Sequence[datetime] = (),
    split: datetime | None = None,
    workers: int = 1,
) -> Backtest:
    """Replay policies over [since, until).

    All policies start with one model, trained on what was known at ``since``, each in a state of
    its own; the project's state is not touched, except for the cache of steps and the result.

    Parameters
    ----------
    bench : Workbench
        The project.
    since, until : datetime
        The stretch of history, by event time; without a time zone it is UTC.
    policies : sequence of str, optional
        See ``policies.read_policy``. By default ``never`` and ``project``.
    step : str
        How far the simulated clock moves at a time: ``6h``, ``1d``.
    on_step : callable (policy, moment, Tick), optional
        Told after each step.
    grid : mapping of str to sequence, optional
        Trigger setting -> values: every combination is a policy more, see ``grid.grid_policies``.
    changes : sequence of datetime
        When the world is known to have changed: the delay of alarms is measured from these.
    split : datetime, optional
        Name the policy that does best before this moment, and give its figures after it.
    workers : int
        Policies replayed at once, each in a process of its own. The results are the same.

    Raises
    ------
    ConfigError
        Without a time column there is no history to replay; a policy, a setting or a value of the
        grid is unknown; or a moment is outside the stretch.
    DataError
        If the source has no rows in [since, until).
    """
    span = Span(
        since=utc(since),
        until=utc(until),
        step=parse_duration(step, "--step"),
        changes=tuple(sorted(utc(change) for change in changes)),
        split=utc(split) if split is not None else None,
    )
    if workers < 1:
        raise ConfigError(
            "--workers is not positive",
            seen=workers,
            remedy="Write how many policies are replayed at once.",
            field="--workers",
        )
    chosen = choose_policies(policies, grid, bench.settings.triggers)
    check_span(bench, span)
    arrivals = load_arrivals(bench, span.since, span.until)
    # With a mark of its own: under --as-of, or within a second, the moment alone names two.
    mark = secrets.token_hex(2)
    name = f"{bench.settings.project.name}-{bench.clock.now():%Y%m%dT%H%M%S}-{mark}"
    folder = bench.home.folder / "backtests" / name
    folder.mkdir(parents=True, exist_ok=True)
    with Workflows(folder) as workflows:
        start = make_start(bench, span.since, folder, workflows)
        if workers == 1 or len(chosen) == 1:
            results = _in_turn(bench, workflows, chosen, arrivals, span, start, on_step)
    if workers > 1 and len(chosen) > 1:
        jobs = [_job(bench, policy, span, start, n) for n, policy in enumerate(chosen)]
        results = SideBySide(min(workers, len(jobs)), on_step).run(jobs)
    for number, policy in enumerate(chosen):
        if policy.varied:  # 60 MB for a quarter of a million rows, of each of many
            forget_predictions(folder / str(number))
    shutil.rmtree(start)
    return finish(bench, name, span, step, results, grid=tuple(grid or ()))


def _in_turn(
    bench: Workbench,
    workflows: Workflows,
    policies: Sequence[Policy],
    arrivals: pl.DataFrame,
    span: Span,
    start: Path,
    on_step: OnStep | None,
) -> list[PolicyResult]:
    results = []
    for number, policy in enumerate(policies):
        inner = bench_for(bench, policy, span.since, start, start.parent / str(number))
        results.append(replay_policy(inner, workflows, policy, arrivals, span, on_step))
        inner.home.close()
    return results


def _job(bench: Workbench, policy: Policy, span: Span, start: Path, number: int) -> Job:
    return Job(
        folder=str(bench.folder),
        settings=bench.settings,
        policy=policy,
        span=span,
        start=str(start),
        home=str(start.parent / str(number)),
    )


def check_span(bench: Workbench, span: Span) -> None:
    """Check the stretch and the moments in it.

    Raises
    ------
    ConfigError
        There is no time column, the stretch has no length, or a moment is outside it.
    """
    if bench.settings.project.time is None:
        raise ConfigError(
            "a backtest needs project.time",
            remedy="Name the column of the event time under [project] in gleis.toml.",
            field="project.time",
        )
    stretch = f"{span.since} .. {span.until}"
    if span.since >= span.until:
        raise ConfigError("--since is not before --until", seen=stretch)
    if not span.step:
        raise ConfigError("--step moves the clock nowhere", seen="0", field="--step")
    moments = [("--changes", change) for change in span.changes]
    moments += [("--split", span.split)] if span.split is not None else []
    for option, moment in moments:
        if not span.since < moment < span.until:
            raise ConfigError(
                f"{option} names a moment outside the stretch that is replayed",
                seen=str(moment),
                remedy=f"Name moments within {stretch}.",
                field=option,
            )


def load_arrivals(bench: Workbench, since: datetime, until: datetime) -> pl.DataFrame:
    """Load what the source has in [since, until)."""
    with tables_open(bench.home, bench.settings):
        arrivals = load_rows(bench.module, bench.settings, since, until)
    if arrivals.is_empty():
        raise DataError(f"the source has no rows from {since} to {until}")
    return arrivals


def make_start(bench: Workbench, since: datetime, folder: Path, workflows: Workflows) -> Path:
    """Train the first champion on what was known at ``since``; return the folder of that state."""
    inner = _inner(bench, bench, since, folder / _START)
    decision: Decision = on_demand(inner.clock.now(), whoami())
    outcome = workflows.retrain(inner, decision)
    Journal(inner.home.facts).write_trained(decision, 0, outcome)
    inner.home.close()
    return inner.home.folder


def bench_for(
    bench: Workbench, policy: Policy, since: datetime, start: Path, folder: Path
) -> Workbench:
    """Return a bench with a copy of the first state, whose monitors watch as the policy says."""
    shutil.copytree(start, folder)
    triggers = policy.watched(bench.settings.triggers)
    settings = msgspec.structs.replace(bench.settings, triggers=triggers)
    return _inner(bench, bench.under(settings), since, folder)


def _inner(bench: Workbench, under: Workbench, since: datetime, folder: Path) -> Workbench:
    """Return a bench with a state of its own, a simulated clock and the project's kept results."""
    home = Home(folder, durable=False)
    home.create()
    inner = Workbench(
        under.folder,
        under.settings,
        home,
        SimulatedClock(since),
        kept=bench.home,
        tracked=False,
        tell=bench.tell,
        asked_only=True,
    )
    # What the module has read, a source that is a file for example, is read once for all.
    inner.trainer.imported = bench.trainer.imported
    return inner


def replay_policy(
    bench: Workbench,
    workflows: Workflows,
    policy: Policy,
    arrivals: pl.DataFrame,
    span: Span,
    on_step: OnStep | None = None,
) -> PolicyResult:
    """Replay one policy on a bench that has a champion."""
    started, worked = time.perf_counter(), time.process_time()
    loop = Loop(bench, workflows.retrain, policy.triggers)
    replay = Replay(bench, loop, arrivals, span.step)
    replay.run(span.until, (lambda at, tick: on_step(policy.name, at, tick)) if on_step else None)
    labelled = arrivals.filter(pl.col(bench.settings.project.target).is_not_null())
    contract = infer_contract(labelled, bench.settings)
    spent = Spent(seconds=time.perf_counter() - started, cpu_seconds=time.process_time() - worked)
    return summarise(policy, replay, contract, _FIGURES[contract.task], span, spent)


def finish(
    bench: Workbench,
    name: str,
    span: Span,
    step: str,
    results: Sequence[PolicyResult],
    grid: tuple[str, ...] = (),
) -> Backtest:
    """Compare, keep as a fact and track in MLflow."""
    metrics = _FIGURES[bench.settings.project.task]
    best = {metric: best_in(results, metric) for metric in metrics}
    before = best_before(results, metrics[0]) if span.split is not None else None
    result = Backtest(
        id=name,
        project=bench.settings.project.name,
        since=span.since,
        until=span.until,
        step=step,
        metrics=metrics,
        policies=tuple(results),
        best={metric: found.policy for metric, found in best.items() if found is not None},
        frontier=find_frontier(results, metrics[0]),
        grid=grid,
        changes=span.changes,
        split=span.split,
        chosen=before.policy if before is not None else None,
    )
    bench.home.facts.append("backtest", name, msgspec.json.encode(result), bench.clock.now())
    track_backtest(bench, result)
    return result
