"""Consume a stream with the champion, following promotions, until told to stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from typing import TYPE_CHECKING

from gleis.contracts.errors import UnavailableError
from gleis.contracts.prediction import Batch
from gleis.lifecycle.stopping import stopped_by_signals
from gleis.packaging.keyring import KeyRing
from gleis.packaging.load import load_package
from gleis.registry.versions import Registry
from gleis.serving.live import LiveService
from gleis.serving.lookup_opening import LookupOpening
from gleis.serving.service import Service
from gleis.serving.streams.consuming import MOST, Consumer, Status, Stream
from gleis.serving.streams.stream_metrics import StreamMetrics

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project


def consume(
    project: Project,
    stream: Stream,
    on_status: Callable[[Status], None] = lambda status: None,
    metrics_port: int | None = None,
) -> Status:
    """Answer a topic's messages until SIGTERM or SIGINT, or its end if the stream says so.

    Parameters
    ----------
    project : Project
    stream : Stream
    on_status : callable
        Told at most once a second, and at the end.
    metrics_port : int, optional
        Where Prometheus reads lag and counts.

    Raises
    ------
    UnavailableError
        Nothing is live, or Kafka fails.
    GleisError
        As ``Consumer.run``.
    """
    project.home.create()
    answering = ChampionAnswering(project)
    metrics = StreamMetrics(stream.topic, stream.group)

    def tell(status: Status) -> None:
        metrics.update(status)
        on_status(status)

    with ExitStack() as running:
        if metrics_port is not None:
            running.callback(metrics.serve(metrics_port))
        consumer = Consumer(stream, project.home.log, answering, tell)
        running.enter_context(stopped_by_signals(consumer.stop))
        answering.live.start()
        running.callback(answering.live.stop)
        return consumer.run()


class ChampionAnswering:
    """The champion, and the versions that were it before.

    Parameters
    ----------
    project : Project
    """

    def __init__(self, project: Project) -> None:
        self._registry = Registry(project.home, project.settings.project.name, project.clock)
        self._clock = project.clock
        keyring = KeyRing(project.settings.signing, project.folder, project.home.keys)
        self._trust = keyring.trust
        limits = project.settings.serve
        self.live = LiveService(
            self._registry,
            project.clock,
            keyring.trust,
            max_rows=max(limits.max_rows, MOST),
            outliers=limits.outliers,
            lookups=LookupOpening(project.settings, project.home, project.clock),
        )
        self.live.load()
        self._open = lru_cache(8)(self._open_version)

    def current(self) -> Service:
        """Return the champion's service."""
        service = self.live.current
        if service is None:
            raise UnavailableError(f"{self.live.name} has no champion")
        return service

    def of(self, batch: Batch) -> Service:
        """Return the service of the version that answered a batch."""
        service = self.current()
        return service if batch.version == service.version.number else self._open(batch.version)

    def _open_version(self, number: int) -> Service:
        version = self._registry.get(number)
        package = load_package(self._registry.path(version), version.digest, self._trust())
        return Service(package, version, self._clock, name=self.live.name)
