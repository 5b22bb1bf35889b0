"""A run, a backtest: written to MLflow for those who look there."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from gleis.contracts.run import Run
from gleis.lifecycle.results import Backtest
from gleis.lifecycle.workbench import Workbench


def track_run(bench: Workbench, run: Run) -> str | None:
    """Write a run with its figures, baseline and verdict; return the MLflow run id."""
    tracking = bench.tracking
    if tracking is None:
        return None
    known = tracking.find_run("gleis.run", run.id)
    if known is not None:  # a process was killed between MLflow and the ledger
        return known
    evidence = run.evidence
    metrics = {name: figure.value for name, figure in evidence.figures.items()}
    metrics |= {f"{name}_low": figure.low for name, figure in evidence.figures.items()}
    metrics |= {f"{name}_high": figure.high for name, figure in evidence.figures.items()}
    metrics |= {f"baseline_{name}": figure.value for name, figure in evidence.baseline.items()}
    metrics |= {f"seconds_{step}": seconds for step, seconds in run.durations.items()}
    passed = run.verdict is not None and run.verdict.passed
    return tracking.log_run(
        run.id,
        params={**run.params, "seed": run.seed},
        metrics=metrics,
        tags={
            "gleis.run": run.id,
            "gleis.kind": run.kind,
            "gleis.dataset": run.dataset.label,
            "gleis.dataset.content": run.dataset.content,
            "gleis.code": run.code.reached,
            "gleis.commit": run.code.commit or "",
            "gleis.cause": run.cause,
            "gleis.verdict": "passed" if passed else "blocked",
        },
        texts={"run.json": msgspec.json.format(msgspec.json.encode(run), indent=1).decode()},
        started=run.started,
        ended=run.started + timedelta(seconds=sum(run.durations.values())),
    )


def track_backtest(bench: Workbench, result: Backtest) -> None:
    """Write one MLflow run a policy, with its weekly figures by week."""
    tracking = bench.tracking
    if tracking is None:
        return
    now = bench.clock.now()
    for policy in result.policies:
        run = tracking.log_run(
            f"backtest {policy.policy}",
            params={
                "policy": policy.policy,
                "since": str(result.since),
                "step": result.step,
                **policy.varied,
            },
            metrics={
                **policy.figures,
                "retrainings": float(policy.retrainings),
                "alarms": float(len(policy.alarms)),
                "false_alarms": float(policy.false_alarms),
                "fit_seconds": policy.fit_seconds,
                "frontier": float(policy.policy in result.frontier),
            },
            tags={"gleis.backtest": result.id, "gleis.kind": "backtest"},
            texts={"backtest.json": msgspec.json.encode(policy).decode()},
            started=now - timedelta(seconds=policy.seconds),
            ended=now,
        )
        weekly = {
            f"weekly_{metric}": [
                (n, week.figures[metric])
                for n, week in enumerate(policy.weeks)
                if metric in week.figures
            ]
            for metric in result.metrics
        }
        tracking.log_series(run, weekly)
