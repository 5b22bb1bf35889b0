"""Retraining as a durable workflow: killed in any step, it resumes there and promotes once.

One queue a project, one journey at a time. The workflow's input names the project folder and
the decision; each step's result is checkpointed as JSON before the next starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec
from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    PortableWorkflowError,
    SetWorkflowID,
    WorkflowHandle,
)

from gleis.contracts import errors
from gleis.contracts.alarm import Decision
from gleis.contracts.errors import GleisError
from gleis.lifecycle.line import carry
from gleis.lifecycle.results import Outcome
from gleis.lifecycle.workbench import Workbench
from gleis.lifecycle.workflow_database import open_workflows
from gleis.store.home import Home
from gleis.store.lock import LOOP

Result = TypeVar("Result")
_QUEUE = "retraining"
_APPLICATION = "gleis"
_PAUSE = 0.1
"""Seconds between looks for messages, of which we send none: leaving waits for its end."""
_BENCHES: dict[str, Workbench] = {}
"""Open benches by name; a resumed workflow finds its bench here."""


def durably(name: str, kind: type[Result], step: Callable[[], Result]) -> Result:
    """Do a step once: its result is checkpointed, and returned as it was after a crash."""
    body: str = DBOS.run_step({"name": name}, lambda: msgspec.json.encode(step()).decode())
    return msgspec.json.decode(body, type=kind)


@DBOS.workflow(name="retrain")  # type: ignore[untyped-decorator]
def retrain_workflow(bench_name: str, decision: str, until: str) -> str:
    """Carry one decision through the line; all arguments and the result are text."""
    try:
        outcome = carry(
            _BENCHES[bench_name],
            msgspec.json.decode(decision, type=Decision),
            datetime.fromisoformat(until),
            durably,
        )
    except (GleisError, PortableWorkflowError) as error:
        # A resumed workflow meets the error of its earlier step in the engine's own form.
        return msgspec.json.encode(_Answer(failed=_failed(error))).decode()
    return msgspec.json.encode(_Answer(outcome=outcome)).decode()


class _Failed(msgspec.Struct, frozen=True):
    """A journey that could not be made, as text."""

    kind: str
    what: str
    seen: str | None = None
    remedy: str = ""
    field: str | None = None

    def error(self) -> GleisError:
        """Return the error it was."""
        kind = getattr(errors, self.kind, GleisError)
        found: GleisError = kind(self.what, remedy=self.remedy, field=self.field)
        found.seen = self.seen
        return found


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the workflow answers: one of the two."""

    outcome: Outcome | None = None
    failed: _Failed | None = None


def _failed(error: GleisError | PortableWorkflowError) -> _Failed:
    if isinstance(error, PortableWorkflowError):
        return _Failed(error.name, error.message)
    return _Failed(type(error).__name__, error.what, error.seen, error.remedy, error.field)


class Workflows:
    """The durable engine of one process: open it around everything that retrains.

    Parameters
    ----------
    place : Home or Path
        Home of a project, or a state folder: the workflow database is there, and one process at a
        time may hold it.
    benches : Workbench
        The project's bench, and any other whose workflows may have to be resumed.

    Examples
    --------
    ``with Workflows(home, bench) as workflows: workflows.retrain(bench, decision)``
    """

    def __init__(self, place: Home | Path, *benches: Workbench) -> None:
        self._home = place if isinstance(place, Home) else Home(place)
        self._names: set[str] = set()
        self._lock = self._home.lock(LOOP)
        for bench in benches:
            self.add(bench)

    def add(self, bench: Workbench) -> None:
        """Let workflows of ``bench`` run in this process."""
        name = bench_name(bench)
        _BENCHES[name] = bench
        self._names.add(name)

    def __enter__(self) -> Workflows:
        """Start the engine; unfinished workflows of an earlier process go on at once."""
        self._lock.take()
        logging.getLogger("dbos").setLevel(logging.ERROR)
        database = open_workflows(self._home)
        self._engine = database.engine
        config: DBOSConfig = {
            "name": _APPLICATION,
            "system_database_url": database.url,
            "system_database_engine": database.engine,
            "dbos_system_schema": database.schema,
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": "1",
            "executor_id": "local",
            "log_level": "ERROR",
            "notification_listener_polling_interval_sec": _PAUSE,
        }
        DBOS(config=config)
        DBOS.launch()
        DBOS.register_queue(_QUEUE, global_concurrency=1, polling_interval_sec=0.1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the engine; what is unfinished resumes at the next start."""
        DBOS.destroy()
        self._engine.dispose()
        for name in self._names:
            _BENCHES.pop(name, None)
        self._lock.release()

    def keep(self) -> bool:
        """Say whether this is still the one process that retrains; see ``ProjectLock.keep``."""
        return self._lock.keep()

    def retrain(self, bench: Workbench, decision: Decision) -> Outcome:
        """Run a journey to its end; the same decision runs once, whoever asks again."""
        self.add(bench)
        until = bench.known_until(decision.at)
        name = bench_name(bench)
        with SetWorkflowID(f"{name}/{decision.id}"):
            handle = DBOS.enqueue_workflow(
                _QUEUE,
                retrain_workflow,
                name,
                msgspec.json.encode(decision).decode(),
                until.isoformat(),
            )
        return _read(handle)


def _read(handle: WorkflowHandle[str]) -> Outcome:
    try:
        body = handle.get_result(polling_interval_sec=0.02)
    except PortableWorkflowError as error:
        raise GleisError(
            "the retraining broke off",
            seen=f"{error.name}: {error.message}",
            remedy="This is a fault of gleis; its log has the trace.",
        ) from error
    answer = msgspec.json.decode(body, type=_Answer)
    if answer.failed is not None:
        raise answer.failed.error()
    if answer.outcome is None:
        raise GleisError("the retraining left no answer")
    return answer.outcome


def bench_name(bench: Workbench) -> str:
    """Name a bench by its schema, the same on every machine, or by its state folder."""
    database = bench.home.database
    return database.schema if database is not None else str(bench.home.folder.resolve())
