"""Backtest the policy, not only the model: replay it over history, beside others."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl

from gleis.config.durations import parse_duration
from gleis.contracts.alarm import Decision
from gleis.contracts.clock import SimulatedClock, utc
from gleis.contracts.errors import ConfigError, DataError
from gleis.data.contract import infer_contract
from gleis.data.source import load_rows
from gleis.evidence.metrics import METRICS
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.policies import policy_triggers
from gleis.lifecycle.replay import Replay, summarise
from gleis.lifecycle.results import Backtest, PolicyResult, Tick
from gleis.lifecycle.tracked import track_backtest
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.workbench import Workbench, whoami
from gleis.store.home import Home

OnStep = Callable[[str, datetime, Tick], None]
_FIGURES = {
    "binary": ("log_loss", "roc_auc", "brier"),
    "multiclass": ("log_loss", "accuracy"),
    "regression": ("rmse", "mae", "r2"),
}


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of history and how it is walked."""

    since: datetime
    until: datetime
    step: timedelta


def backtest(
    bench: Workbench,
    since: datetime,
    until: datetime,
    policies: Sequence[str],
    step: str = "1d",
    on_step: OnStep | None = None,
) -> Backtest:
    """Replay policies over [since, until).

    Each policy starts with a model trained on what was known at ``since`` and gets a state of
    its own; the project's state is not touched, except for the cache of steps and the result.

    Parameters
    ----------
    bench : Workbench
        The project.
    since, until : datetime
        The stretch of history, by event time; without a time zone it is UTC.
    policies : sequence of str
        See ``policies.policy_triggers``.
    step : str
        How far the simulated clock moves at a time: ``6h``, ``1d``.
    on_step : callable (policy, moment, Tick), optional
        Told after each step.

    Raises
    ------
    ConfigError
        Without a time column there is no history to replay; or a policy is unknown.
    DataError
        If the source has no rows in [since, until).
    """
    since, until = utc(since), utc(until)
    stretch = parse_duration(step, "--step")
    arrivals = load_arrivals(bench, since, until)
    # With a mark of its own: under --as-of, or within a second, the moment alone names two.
    mark = secrets.token_hex(2)
    name = f"{bench.settings.project.name}-{bench.clock.now():%Y%m%dT%H%M%S}-{mark}"
    for policy in policies:
        policy_triggers(policy, bench.settings.triggers)
    folder = bench.home.folder / "backtests" / name
    folder.mkdir(parents=True, exist_ok=True)
    benches = [
        inner_bench(bench, since, Home(folder / str(number), durable=False))
        for number in range(len(policies))
    ]
    results = []
    with Workflows(folder, *benches) as workflows:
        for policy, inner in zip(policies, benches, strict=True):
            start_policy(inner, workflows)
            span = Span(since=since, until=until, step=stretch)
            results.append(replay_policy(inner, workflows, policy, arrivals, span, on_step))
            inner.home.close()
    return finish(bench, name, since, until, step, results)


def load_arrivals(bench: Workbench, since: datetime, until: datetime) -> pl.DataFrame:
    """Load what the source has in [since, until)."""
    if bench.settings.project.time is None:
        raise ConfigError(
            "a backtest needs project.time",
            remedy="Name the column of the event time under [project] in gleis.toml.",
            field="project.time",
        )
    if since >= until:
        raise ConfigError("--since is not before --until", seen=f"{since} .. {until}")
    arrivals = load_rows(bench.module, bench.settings, since, until)
    if arrivals.is_empty():
        raise DataError(f"the source has no rows from {since} to {until}")
    return arrivals


def inner_bench(bench: Workbench, since: datetime, home: Home) -> Workbench:
    """Return a bench with a state of its own and a simulated clock."""
    home.create()
    return Workbench(
        bench.folder,
        bench.settings,
        home,
        SimulatedClock(since),
        kept=bench.home,
        tracked=False,
        tell=bench.tell,
        asked_only=True,
    )


def start_policy(bench: Workbench, workflows: Workflows) -> None:
    """Train the first champion on what is known now."""
    decision: Decision = on_demand(bench.clock.now(), whoami())
    outcome = workflows.retrain(bench, decision)
    Journal(bench.home.facts).write_trained(decision, 0, outcome)


def replay_policy(
    bench: Workbench,
    workflows: Workflows,
    policy: str,
    arrivals: pl.DataFrame,
    span: Span,
    on_step: OnStep | None = None,
) -> PolicyResult:
    """Replay one policy on a bench that has a champion."""
    started = time.perf_counter()
    triggers = policy_triggers(policy, bench.settings.triggers)
    loop = Loop(bench, workflows.retrain, triggers)
    replay = Replay(bench, loop, arrivals, span.step)
    replay.run(span.until, (lambda at, tick: on_step(policy, at, tick)) if on_step else None)
    labelled = arrivals.filter(pl.col(bench.settings.project.target).is_not_null())
    contract = infer_contract(labelled, bench.settings)
    metrics = _FIGURES[contract.task]
    return summarise(policy, replay, contract, metrics, span.since, started)


def finish(
    bench: Workbench,
    name: str,
    since: datetime,
    until: datetime,
    step: str,
    results: Sequence[PolicyResult],
) -> Backtest:
    """Compare, keep as a fact and track in MLflow."""
    metrics = _FIGURES[bench.settings.project.task]
    best = {}
    for metric in metrics:
        sign = -1 if METRICS[metric].greater_is_better else 1
        known = [result for result in results if metric in result.figures]
        if known:
            best[metric] = min(known, key=lambda r: sign * r.figures[metric]).policy
    result = Backtest(
        id=name,
        project=bench.settings.project.name,
        since=since,
        until=until,
        step=step,
        metrics=metrics,
        policies=tuple(results),
        best=best,
    )
    bench.home.facts.append("backtest", name, msgspec.json.encode(result), bench.clock.now())
    track_backtest(bench, result)
    return result
