"""Where the statistics of a service come from: its stores, its counters and the model it serves."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from gleis.contracts.alarm import Alarm
from gleis.contracts.clock import Clock
from gleis.contracts.deployment import CHAMPION, Deployment
from gleis.contracts.notice import Handled
from gleis.registry.deployments import Deployments
from gleis.serving.plane import Plane
from gleis.serving.retrainings import RetrainingDesk
from gleis.serving.service import Service
from gleis.serving.sketches import Sketches, sketched_as
from gleis.serving.statistics.application import (
    ApplicationMetrics,
    Worker,
    latency_of,
    predictions_of,
    requests_of,
    resident_bytes,
    rows_by,
    samples_of,
)
from gleis.serving.statistics.distribution import (
    DataDistribution,
    compare_profiles,
    recent_scores,
)
from gleis.serving.statistics.model import (
    ModelStatistics,
    alarms_of,
    champion_of,
    explanations,
    found,
    outliers_of,
    proven,
)
from gleis.store.counters import Counters
from gleis.store.home import Home
from gleis.store.live_figures import read_figures

_WORKER = "worker"
"""Cells of each worker: its process id, when it was started, when the first in its place was."""


class Records:
    """The records of one service.

    Parameters
    ----------
    home : Home
        Its stores.
    clock : Clock
    counters : Counters
        Shared with the other workers; this process enters itself there.
    """

    def __init__(self, home: Home, clock: Clock, counters: Counters) -> None:
        self.home = home
        self.clock = clock
        self.retrainings = RetrainingDesk(home, clock)
        self._counters = counters
        self._deployments = Deployments(home, clock)
        now = clock.now().timestamp()
        cells = counters.cells(_WORKER, 3)
        cells[:] = (os.getpid(), now, cells[2] or now)

    def data_distribution(self, plane: Plane) -> DataDistribution:
        """Return how features and scores are distributed.

        Raises
        ------
        UnavailableError
            Nobody answers, so there is nothing to compare with.
        StoreError
            The log cannot be read.
        """
        service = plane.service
        reference = service.package.reference
        scores, since = recent_scores(service, self.home.log)
        key, sums = sketched_as(service.version.digest), self._counters.sums()
        features = Sketches(
            reference.features, lambda count: sums.get(key, np.zeros(count))
        ).profile()
        return DataDistribution(
            model=service.name,
            version=service.version.number,
            digest=service.version.digest,
            at=self.clock.now(),
            features=compare_profiles(reference.features, features, self._counted_since(service)),
            scores=compare_profiles(reference.scores, scores, since),
        )

    def model_statistics(self, plane: Plane) -> ModelStatistics:
        """Return what is known about the model that answers.

        Raises
        ------
        UnavailableError
            Nobody answers.
        StoreError
            A store cannot be read.
        """
        service = plane.service
        version, package = service.version, service.package
        facts, now = self.home.facts, self.clock.now()
        return ModelStatistics(
            model=service.name,
            task=service.contract.task,
            target=service.contract.target,
            at=now,
            champion=champion_of(
                self._deployments.champion(), version.number, version.digest, version.run
            ),
            release=tuple(plane.live.parts()),
            evidence=proven(package.evidence),
            live=found(read_figures(self.home.states)),
            alarms=alarms_of(
                facts.decoded("alarm", Alarm),
                facts.decoded("handled", Handled),
                now,
            ),
            outliers=outliers_of(package),
            explanations=explanations(),
            feedback=tuple(self.home.feedback.summary()),
            retraining=self.retrainings.newest(),
        )

    def application_metrics(self, plane: Plane) -> ApplicationMetrics:
        """Return how the service itself fares.

        Raises
        ------
        StoreError
            The log cannot be read.
        """
        now, samples = self.clock.now(), samples_of(plane.metrics.collect())
        since = self._started()
        return ApplicationMetrics(
            model=plane.live.name,
            at=now,
            since=since,
            uptime_seconds=(now - since).total_seconds(),
            workers=tuple(self._workers()),
            requests=requests_of(samples),
            latency=latency_of(samples),
            predictions=predictions_of(samples),
            fallbacks=rows_by(samples, "gleis_fallbacks_total", "reason"),
            flags=rows_by(samples, "gleis_flags_total", "flag"),
            log=self.home.log.counts(),
            feedback=sum(one.count for one in self.home.feedback.summary()),
        )

    def _workers(self) -> Iterable[Worker]:
        for pid, started, _ in sorted(self._counters.each(_WORKER), key=lambda one: one[1]):
            yield Worker(
                pid=int(pid), since=_moment(started), memory_bytes=resident_bytes(int(pid))
            )

    def _started(self) -> datetime:
        """Return when the service was started."""
        return _moment(min(first for _, _, first in self._counters.each(_WORKER)))

    def _counted_since(self, service: Service) -> datetime:
        """Return since when rows of this version are sketched: its first time since the start."""
        started = self._started()
        history = self._deployments.history(CHAMPION)
        ends = [*(later.at for later in history[1:]), datetime.max.replace(tzinfo=UTC)]
        return next(
            (
                max(started, deployed.at)
                for deployed, end in zip(history, ends, strict=True)
                if _is(deployed, service) and end > started
            ),
            started,
        )


def _is(deployed: Deployment, service: Service) -> bool:
    return deployed.version.digest == service.version.digest


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
