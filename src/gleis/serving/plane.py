"""The data plane as every protocol sees it: rows in, answers out, durable in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from gleis.contracts.clock import Clock
from gleis.contracts.errors import UnavailableError
from gleis.contracts.prediction import LabelReceipt
from gleis.serving.answers import Answer
from gleis.serving.bodies import read_items
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.rows import Row, Rows
from gleis.serving.service import Service
from gleis.serving.turns import Router, Turns, Waiter
from gleis.store.log.group_commit import GroupCommit

_MANY = 500
"""Rows from which on a request is read beside the event loop."""
_LARGE = 65_536
"""Bytes of a body from which on it is read beside the event loop."""


class BodyWaiter(Waiter, Protocol):
    """Who waits for the answers to a body."""

    single: bool
    """True if the body was one object, until the plane says otherwise."""


class Plane:
    """Answers rows and takes labels; HTTP's protocols and streams are thin adapters over it.

    An answer is returned only after the log has its record on disk.

    Parameters
    ----------
    live : LiveService
    commits : GroupCommit
        Writes the prediction log.
    clock : Clock
    metrics : Metrics
    router : Router, optional
        Splits rows over services; by default ``live``, as the running release says.
    timeout : float
        Seconds a model may take before its baseline answers in its place.
    """

    def __init__(
        self,
        live: LiveService,
        commits: GroupCommit,
        clock: Clock,
        metrics: Metrics,
        *,
        router: Router | None = None,
        timeout: float = 1.0,
    ) -> None:
        self.live = live
        self.metrics = metrics
        self._commits = commits
        self._clock = clock
        self._announced: Service | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self._turns = Turns(commits, metrics, router or live, timeout)

    @property
    def service(self) -> Service:
        """The service that answers now; the metrics are told when it is a new one.

        Raises
        ------
        UnavailableError
            There is none.
        """
        service = self.live.current
        if service is None:
            raise UnavailableError(
                f"{self.live.name} has no model to answer with",
                seen=self.live.error,
                remedy="Train one with gleis run, or promote a version with gleis promote.",
            )
        if service is not self._announced:
            self._announced = service
            self.metrics.serving(service)
        return service

    async def predict(self, rows: Sequence[Row]) -> list[Answer]:
        """Answer rows, (n_rows,), by feature name; one answer a row, in their order.

        Raises
        ------
        RequestError
            The rows break the contract; none was answered or logged.
        UnavailableError, StoreError
            Nobody can answer, or the log cannot be written.
        """
        service = self.service
        if len(rows) < _MANY and not service.remote:
            checked = service.read(rows)
        else:
            checked = await asyncio.to_thread(service.read, rows)
        return await self._turns.ask(service, checked)

    async def predict_body(self, body: bytes) -> tuple[list[Answer], bool]:
        """Answer a body: one object, a list of them, or an object with a list under ``rows``.

        Returns
        -------
        answers : list of Answer, (n_rows,)
        single : bool
            True if the body was one object.

        Raises
        ------
        RequestError
            As ``read_items`` and ``predict``.
        UnavailableError, StoreError
            As ``predict``.
        """
        service = self.service
        if len(body) >= _LARGE:
            rows, single = await asyncio.to_thread(_read, service, body)
            return await self._turns.ask(service, rows), single
        row = service.typed.one(body)
        if row is not None:
            return await self._turns.ask(service, row), True
        if service.remote:
            rows, single = await asyncio.to_thread(_read, service, body)
        else:
            rows, single = _read(service, body)
        return await self._turns.ask(service, rows), single

    def start(self, body: bytes, waiter: BodyWaiter) -> None:
        """Begin to answer a small body, read here and now; ``waiter`` hears the answers.

        Raises
        ------
        RequestError, UnavailableError
            As ``predict_body``; the waiter hears nothing then.
        """
        service = self.service
        row = service.typed.one(body)
        if row is not None:
            self._turns.tell(service, row, waiter)
        elif service.remote:
            task = asyncio.get_running_loop().create_task(self._read_beside(service, body, waiter))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        else:
            rows, waiter.single = _read(service, body)
            self._turns.tell(service, rows, waiter)

    async def _read_beside(self, service: Service, body: bytes, waiter: BodyWaiter) -> None:
        """Read a body whose features come over a network, beside the event loop."""
        try:
            rows, waiter.single = await asyncio.to_thread(_read, service, body)
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
            waiter.set_exception(error)
        else:
            self._turns.tell(service, rows, waiter)

    async def label(self, items: list[Any]) -> LabelReceipt:
        """Keep what turned out to be true; see ``LabelReader`` for the items.

        Raises
        ------
        RequestError
            An item does not fit the task; none was kept.
        UnavailableError, StoreError
            There is no contract to read by, or the log cannot be written.
        """
        labels = self.service.labels.read(items)
        receipt = await self._commits.label(labels, self._clock.now())
        self.metrics.labelled(receipt)
        return receipt


def _read(service: Service, body: bytes) -> tuple[Rows, bool]:
    """Read and check a body; say whether it was one object."""
    typed = service.typed.many(body)
    if typed is not None:
        return service.typed.rows(typed), False
    items, single = read_items(body, "rows")
    return service.read(items), single
