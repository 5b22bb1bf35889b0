"""Policies replayed beside each other, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import IO

import msgspec

from gleis.contracts import errors
from gleis.contracts.errors import GleisError
from gleis.lifecycle.backtests.replay_job import Job, Line
from gleis.lifecycle.results import PolicyResult, Tick

_MODULE = "gleis.lifecycle.backtests.replay_process"
_TOLD = 1500
"""Characters of what a process that broke off said last."""


class SideBySide:
    """Runs jobs, so many beside each other.

    Parameters
    ----------
    workers : int
        Processes at once; they share the processors.
    on_step : callable (policy, moment, Tick), optional
    """

    def __init__(
        self, workers: int, on_step: Callable[[str, datetime, Tick], None] | None = None
    ) -> None:
        self._workers = workers
        self._on_step = on_step
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(self, jobs: Sequence[Job]) -> list[PolicyResult]:
        """Return the result of each job, in their order.

        Raises
        ------
        GleisError
            The first that fails; the others are ended.
        """
        with ThreadPoolExecutor(self._workers) as pool:
            futures = [pool.submit(self._run, job) for job in jobs]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                self._end()
                raise

    @contextmanager
    def beside(self, jobs: Sequence[Job]) -> Iterator[Future[list[PolicyResult]]]:
        """Run jobs while this process does something else; if that fails, they are ended.

        Yields
        ------
        Future
            Of what ``run`` returns or raises.
        """
        with ThreadPoolExecutor(1) as pool:
            try:
                yield pool.submit(self.run, jobs)
            except BaseException:
                self._end()
                raise

    def _run(self, job: Job) -> PolicyResult:
        with tempfile.TemporaryFile() as said, self._start(said) as process:
            with self._lock:
                self._running.add(process)
                if self._ended:
                    process.terminate()
            result = self._follow(job, process)
            process.wait()
            with self._lock:
                self._running.discard(process)
            if result is not None:
                return result
            said.seek(0)
            raise GleisError(
                f"the replay of {job.policy.name} broke off, exit code {process.returncode}",
                seen=said.read().decode(errors="replace")[-_TOLD:].strip() or "nothing",
                remedy="Replay it alone, without --workers, to see where.",
            )

    def _start(self, said: IO[bytes]) -> subprocess.Popen[bytes]:
        # OMP_NUM_THREADS stays: kept results of steps are named after it too.
        share = str(max(1, (os.cpu_count() or 1) // self._workers))
        environment = {"POLARS_MAX_THREADS": share} | os.environ
        return subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
        )

    def _follow(self, job: Job, process: subprocess.Popen[bytes]) -> PolicyResult | None:
        if process.stdin is None or process.stdout is None:
            raise TypeError("the process was started without pipes")
        # One that has ended already says why by its exit code.
        with suppress(BrokenPipeError), process.stdin as told:
            told.write(msgspec.json.encode(job))
        for body in process.stdout:
            line = msgspec.json.decode(body, type=Line)
            if line.failed is not None:
                raise _error(*line.failed)
            if line.result is not None:
                return line.result
            if self._on_step is not None and line.at is not None and line.tick is not None:
                with self._lock:
                    self._on_step(job.policy.name, line.at, line.tick)
        return None

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            for process in self._running:
                process.terminate()


def _error(kind: str, what: str, seen: str, remedy: str) -> GleisError:
    found: type[GleisError] = getattr(errors, kind, GleisError)
    return found(f"{what}: {seen}" if seen else what, remedy=remedy)
