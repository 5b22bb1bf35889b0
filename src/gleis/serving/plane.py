"""The data plane as every protocol sees it: rows in, answers out, durable in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from gleis.contracts.clock import Clock
from gleis.contracts.errors import UnavailableError
from gleis.contracts.prediction import LabelReceipt
from gleis.serving.answers import Answer
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.rows import Row
from gleis.serving.service import Service
from gleis.store.group_commit import GroupCommit

_MANY = 500
"""Rows from which on a request is worked on beside the event loop."""


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
    """

    def __init__(
        self, live: LiveService, commits: GroupCommit, clock: Clock, metrics: Metrics
    ) -> None:
        self.live = live
        self.metrics = metrics
        self._commits = commits
        self._clock = clock
        self._announced: Service | None = None

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
        started = perf_counter()
        service = self.service
        if len(rows) < _MANY:
            batch = service.answer(rows)
        else:
            batch = await asyncio.to_thread(service.answer, rows)
        ids = await self._commits.append(batch)
        answers = service.render(batch, ids)
        self.metrics.predicted(batch, perf_counter() - started)
        return answers

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
