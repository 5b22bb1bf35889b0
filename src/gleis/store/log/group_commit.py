"""Many requests, one commit: a thread that writes whatever waits, again and again."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from gleis.contracts.errors import DataError, GleisError, StoreError
from gleis.contracts.ports import PredictionLog
from gleis.contracts.prediction import Batch, Label, LabelReceipt

_ROWS = 50_000
"""Rows after which a commit is closed, so that none grows without bound."""


class Told(Protocol):
    """Who hears what became of a write."""

    def done(self) -> bool:
        """Say whether nobody listens any more."""
        ...

    def set_result(self, result: Any, /) -> None:
        """Hear that it is on disk."""
        ...

    def set_exception(self, error: BaseException, /) -> None:
        """Hear that it is not, and why."""
        ...


class _Waiter(NamedTuple):
    """Who waits for a write: somebody on an event loop, or a thread."""

    future: Told
    loop: asyncio.AbstractEventLoop | None


class _Append(NamedTuple):
    batches: Sequence[Batch]
    waiter: _Waiter
    lone: bool
    """True if it waits for the ids of its only batch, not for a list of those of each."""


class _Labelling(NamedTuple):
    labels: Sequence[Label]
    received: datetime
    waiter: _Waiter


class GroupCommit:
    """Writes for many waiters at once, and answers each when its record is on disk.

    There is no timer: while one commit is being synced the next ones gather, so a lone client
    waits for nobody and a crowd shares the cost. A failed commit fails everyone who waited for it,
    with StoreError, and the next one is tried afresh.

    Parameters
    ----------
    log : PredictionLog
        Written by this object's one thread.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC
    >>> from pathlib import Path
    >>> from gleis.store.log.sqlite_log import SqlitePredictionLog
    >>> commits = GroupCommit(SqlitePredictionLog(Path(tempfile.mkdtemp()) / "predictions.db"))
    >>> label = Label(value=1, entity="AA1")
    >>> commits.label_sync([label], datetime(2013, 7, 4, tzinfo=UTC)).unknown
    ('AA1',)
    >>> commits.close()
    """

    def __init__(self, log: PredictionLog) -> None:
        self._log = log
        self._queue: queue.SimpleQueue[_Append | _Labelling | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="gleis-commits", daemon=True)
        self._thread.start()

    async def append(self, batch: Batch) -> list[str]:
        """Write a batch; return its prediction ids, (rows,), once they are on disk.

        Raises
        ------
        DataError
            The batch cannot be written; others that waited with it are.
        StoreError
            It is not on disk, or this object is closed.
        """
        waiter = _in_loop()
        self._put(_Append((batch,), waiter, lone=True))
        ids: list[str] = await waiter.future  # type: ignore[misc]
        return ids

    def write(self, batches: Sequence[Batch], told: Told) -> None:
        """Write batches in one commit, from an event loop, without waiting.

        Parameters
        ----------
        batches : sequence of Batch
        told : Told
            Hears the ids of each batch on the event loop, once all are on disk; or the error of
            ``append``. A future would do; what needs no task hears it one turn of the loop
            earlier.

        Raises
        ------
        StoreError
            This object is closed.
        """
        waiter = _Waiter(told, asyncio.get_running_loop())
        self._put(_Append(batches, waiter, lone=False))

    async def label(self, labels: Sequence[Label], received: datetime) -> LabelReceipt:
        """Write labels in one commit, behind the predictions that wait already.

        Raises
        ------
        DataError
            A label names no prediction; none is written.
        StoreError
            They are not on disk, or this object is closed.
        """
        waiter = _in_loop()
        self._put(_Labelling(labels, received, waiter))
        receipt: LabelReceipt = await waiter.future  # type: ignore[misc]
        return receipt

    def append_sync(self, batch: Batch) -> list[str]:
        """Do as ``append``, from a thread without an event loop."""
        future: Future[list[str]] = Future()
        self._put(_Append((batch,), _Waiter(future, None), lone=True))
        return future.result()

    def label_sync(self, labels: Sequence[Label], received: datetime) -> LabelReceipt:
        """Do as ``label``, from a thread without an event loop."""
        future: Future[LabelReceipt] = Future()
        self._put(_Labelling(labels, received, _Waiter(future, None)))
        return future.result()

    @property
    def waiting(self) -> int:
        """How many writes wait, at about this moment."""
        return self._queue.qsize()

    def close(self) -> None:
        """Write and answer everything that waits, then stop; the log stays open."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _put(self, job: _Append | _Labelling) -> None:
        with self._door:
            if self._closed:
                raise StoreError("The prediction log is closed", remedy="Ask another instance.")
            self._queue.put(job)

    def _run(self) -> None:
        going, waiting = True, deque[_Labelling]()
        while going or waiting:
            if going:
                appends, labellings, going = self._gather(wait=not waiting)
                waiting += labellings
                if appends:
                    self._commit(appends)
            while waiting and not self._prepare(waiting[0]):
                self._commit_labels(waiting.popleft())

    def _prepare(self, labelling: _Labelling) -> bool:
        """Let the log look for the labels' entities a little; say whether it has to go on.

        In between, predictions are written: they do not wait until it has looked through all that
        was ever written.
        """
        catch_up: Callable[[], bool] | None = getattr(self._log, "catch_up", None)
        by_id = all(label.prediction_id is not None for label in labelling.labels)
        if catch_up is None or by_id:
            return False
        try:
            return catch_up()
        except Exception:  # noqa: BLE001 - the labels' commit fails of it, and says so
            return False

    def _gather(self, *, wait: bool) -> tuple[list[_Append], list[_Labelling], bool]:
        """Take what is there; or wait for a job, then take what else is there."""
        appends: list[_Append] = []
        labellings: list[_Labelling] = []
        rows = 0
        try:
            job = self._queue.get(block=wait)
        except queue.Empty:
            return appends, labellings, True
        while job is not None:
            if isinstance(job, _Append):
                appends.append(job)
                rows += sum(batch.rows for batch in job.batches)
            else:
                labellings.append(job)
            if rows >= _ROWS:
                break
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
        return appends, labellings, job is not None

    def _commit(self, appends: list[_Append]) -> None:
        try:
            ids = self._log.append([batch for append in appends for batch in append.batches])
        except DataError as error:
            if len(appends) == 1:
                _answer([(appends[0].waiter, error)])
            else:  # one of them cannot be written: the others shall not suffer
                for append in appends:
                    self._commit([append])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            failure = _as_gleis(error)
            _answer((append.waiter, failure) for append in appends)
        else:
            _answer(_share_out(appends, ids))

    def _commit_labels(self, labelling: _Labelling) -> None:
        try:
            outcome: Any = self._log.label(labelling.labels, labelling.received)
        except Exception as error:  # noqa: BLE001 - as above
            outcome = _as_gleis(error)
        _answer([(labelling.waiter, outcome)])


def _share_out(
    appends: Sequence[_Append], ids: Sequence[list[str]]
) -> Iterable[tuple[_Waiter, Any]]:
    """Return the ids that each one waits for."""
    start = 0
    for append in appends:
        end = start + len(append.batches)
        yield append.waiter, ids[start] if append.lone else list(ids[start:end])
        start = end


def _in_loop() -> _Waiter:
    loop = asyncio.get_running_loop()
    return _Waiter(loop.create_future(), loop)


def _as_gleis(error: Exception) -> GleisError:
    if isinstance(error, GleisError):
        return error
    failure = StoreError(f"The prediction log fails: {error!r}")
    failure.__cause__ = error
    return failure


def _answer(outcomes: Iterable[tuple[_Waiter, Any]]) -> None:
    """Wake every waiter, each event loop once."""
    of_loop: defaultdict[asyncio.AbstractEventLoop | None, list[tuple[Any, Any]]]
    of_loop = defaultdict(list)
    for waiter, outcome in outcomes:
        of_loop[waiter.loop].append((waiter.future, outcome))
    for loop, settled in of_loop.items():
        if loop is None:
            _settle(settled)
        else:
            with suppress(RuntimeError):  # the loop has closed: nobody waits there any more
                loop.call_soon_threadsafe(_settle, settled)


def _settle(outcomes: list[tuple[Any, Any]]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
