"""The record of a run, with its verdict: written to the ledger before anything is packaged."""

from __future__ import annotations

import msgspec

from gleis.contracts.alarm import Decision
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.governance.gates import judge, judge_baseline
from gleis.lifecycle.workbench import Workbench
from gleis.training.environment import describe_environment
from gleis.training.git import describe_code
from gleis.training.keys import model_code
from gleis.training.results import Examined, Fitted, Ruled


def judge_run(
    bench: Workbench,
    decision: Decision,
    dataset: DatasetVersion,
    fitted: Fitted,
    ruled: Ruled,
    examined: Examined,
) -> Run:
    """Hold the evidence against the gates and record the run."""
    verdict = judge(examined.evidence, bench.settings.gates)
    bench.tell("judge", "passed" if verdict.passed else "; ".join(verdict.reasons))
    code = model_code(fitted.code, ruled.code)
    return _record(bench, decision, dataset, fitted, examined, verdict, code)


def judge_baseline_run(
    bench: Workbench,
    decision: Decision,
    dataset: DatasetVersion,
    ruled: Ruled,
    examined: Examined,
) -> Run:
    """Record the heuristic's run; it is what the others are held against."""
    verdict = judge_baseline(examined.evidence)
    return _record(bench, decision, dataset, ruled, examined, verdict, ruled.code)


def _record(
    bench: Workbench,
    decision: Decision,
    dataset: DatasetVersion,
    made: Fitted | Ruled,
    examined: Examined,
    verdict: Verdict,
    reached: str,
) -> Run:
    kind = "model" if isinstance(made, Fitted) else "baseline"
    run = Run(
        id=run_id(decision, made.key, kind),
        project=bench.settings.project.name,
        kind="model" if isinstance(made, Fitted) else "baseline",
        dataset=dataset,
        code=describe_code(bench.folder, reached, bench.kept.artifacts),
        environment=describe_environment(bench.kept.artifacts),
        params=dict(bench.settings.params) if kind == "model" else {},
        seed=bench.settings.seed,
        seeds=made.seeds if isinstance(made, Fitted) else {},
        started=decision.at,
        durations=dict(bench.cache.durations),
        train_rows=made.train_rows,
        test_rows=made.test_rows,
        cause=decision.reason,
        model=made.estimator if isinstance(made, Fitted) else made.rule,
        evidence=examined.evidence,
        verdict=verdict,
        since=bench.settings.split.since,
        test=bench.settings.split.test,
        adopted=made.adopted if isinstance(made, Fitted) else None,
    )
    bench.home.facts.append_once("run", run.id, msgspec.json.encode(run), bench.clock.now())
    return run


def run_id(decision: Decision, key: str, kind: str) -> str:
    """Name a run by its moment and what it depends on: readable, sortable, repeatable."""
    prefix = "b" if kind == "baseline" else "r"
    return f"{prefix}{decision.at:%Y%m%d-%H%M%S}-{key[:6]}"
