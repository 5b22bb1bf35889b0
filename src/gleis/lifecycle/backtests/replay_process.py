"""A process that replays one policy.

``python -m gleis.lifecycle.backtests.replay_process`` reads a `Job` from its standard input and
writes a `Line` of JSON for every step, and one for the result, to its standard output.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from gleis.contracts.errors import GleisError
from gleis.lifecycle.backtests.backtest import OnStep, bench_for, load_arrivals, replay_policy
from gleis.lifecycle.backtests.replay_job import Job, Line
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.results import PolicyResult
from gleis.lifecycle.workbench import Workbench
from gleis.store.home import open_home


def main() -> int:
    """Replay the policy that the standard input names; return the exit code."""
    # Lines go where standard output went; what the project's module prints goes to the errors.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(line: Line) -> None:
        out.write(msgspec.json.encode(line) + b"\n")

    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    try:
        result = _replay(job, lambda policy, at, tick: tell(Line(at=at, tick=tick)))
    except GleisError as error:
        seen = "" if error.seen is None else str(error.seen)
        tell(Line(failed=(type(error).__name__, error.what, seen, error.remedy)))
        return 1
    tell(Line(result=result))
    return 0


def _replay(job: Job, on_step: OnStep) -> PolicyResult:
    folder = Path(job.folder)
    project = Workbench(folder, job.settings, open_home(folder, job.settings), tracked=False)
    arrivals = load_arrivals(project, job.span.since, job.span.until)
    since = job.span.since
    inner = bench_for(project, job.policy, since, Path(job.start), Path(job.home))
    try:
        with Workflows(inner.home.folder, inner) as workflows:
            return replay_policy(inner, workflows, job.policy, arrivals, job.span, on_step)
    finally:
        inner.home.close()
        project.home.close()


if __name__ == "__main__":
    sys.exit(main())
