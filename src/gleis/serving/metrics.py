"""What Prometheus reads: counters of all workers of a service, updated cheaply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gleis.contracts.prediction import Batch, LabelReceipt
from gleis.contracts.profile import NumberSketch
from gleis.serving.drawn import Drawn
from gleis.serving.families import FAMILIES, add_series, counted_as, make_family, read_counted
from gleis.serving.histogram import Histogram
from gleis.serving.rows import Rows
from gleis.serving.service import Service
from gleis.serving.sketches import Sketches, sketched_as
from gleis.store.counters import Cells, Counters

Source = Callable[[], Iterable[Metric]]

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
FEATURES = 50
"""Features whose values are shown at most: those that the model relies on most."""
_SERVICES = 8
"""Services whose histograms are held; more are looked up again."""


class Metrics:
    """Counters and histograms of a service's workers.

    Parameters
    ----------
    name : str
        Name of the model.
    counters : Counters, optional
        Shared with the other workers; by default in this process's memory.
    """

    def __init__(self, name: str, counters: Counters | None = None) -> None:
        self.name = name
        self._counters = counters or Counters()
        self._registry = CollectorRegistry()
        self._registry.register(_Reader(self))
        self._sources: list[Source] = []
        self.cell = cache(self._find)
        """The cells of a family's series by the labels beside ``model``, for this worker."""
        self._latencies = self._histogram("gleis_prediction_seconds", (), _SECONDS)
        self._service: Service | None = None
        self._sketches: dict[Service, Sketches] = {}
        self._drawn: dict[Service, Drawn] = {}
        self._forget_gauges()
        for name_of in ("gleis_reload_errors", "gleis_loop_figures_unreadable"):
            self._find(name_of)

    def serving(self, service: Service) -> None:
        """Note which version answers from now on."""
        version = service.version
        self._service = service
        reference = service.package.reference.features
        key = sketched_as(version.digest)
        self._sketches = {
            service: Sketches(
                reference, lambda count: self._counters.cells(key, count), service.numeric
            )
        }

    def also(self, source: Source) -> None:
        """Show what a source says, at each scrape, too."""
        self._sources.append(source)

    def answered(
        self, batches: Sequence[Batch], seconds: Sequence[float], service: Service | None = None
    ) -> None:
        """Count batches whose records are on disk.

        Parameters
        ----------
        batches : sequence of Batch
        seconds : sequence of float
            From body to answer, of each request that has its answer now.
        service : Service, optional
            Who answered; by default the one that ``serving`` named.
        """
        drawn = self._draw(service or self._service) if batches else None
        for batch in batches:
            version, fallback = str(batch.version), "true" if batch.fallback else "false"
            self.cell("gleis_predictions", version, batch.role, fallback)[0] += batch.rows
            if batch.reason is not None:
                self.cell("gleis_fallbacks", batch.reason)[0] += batch.rows
            if batch.seconds is not None:
                self.cell("gleis_model_seconds", version, batch.role)[0] += batch.seconds
            if drawn is not None and batch.role != "shadow":
                drawn.add(batch)
            for flag, positions in batch.flags.items():
                self.cell("gleis_flags", flag)[0] += len(positions)
        self._latencies.add(seconds)

    def saw(self, service: Service, rows: Rows) -> None:
        """Sketch the rows that a service answered."""
        sketches = self._sketches.get(service)
        if sketches is not None:
            sketches.add(rows)

    def labelled(self, receipt: LabelReceipt) -> None:
        """Count labels that were kept."""
        self.cell("gleis_labels", "accepted")[0] += receipt.accepted
        self.cell("gleis_labels", "unknown")[0] += len(receipt.unknown)
        self.cell("gleis_labels", "changed")[0] += len(receipt.changed)

    def rated(self, rating: int) -> None:
        """Count feedback that was kept."""
        self.cell("gleis_feedback", str(rating))[0] += 1

    def requested(self, path: str, status: int) -> None:
        """Count a request; ``path`` is one of the service's own, or ``other``."""
        self.cell("gleis_requests", path, str(status))[0] += 1

    def admitted(self, caller: str) -> None:
        """Count a request that was let through; ``caller`` is a key's id or ``token``."""
        self.cell("gleis_admitted", caller)[0] += 1

    def reload_failed(self) -> None:
        """Count a new version that was refused."""
        self.cell("gleis_reload_errors")[0] += 1

    def figures_unreadable(self) -> None:
        """Count a scrape without the loop's figures."""
        self.cell("gleis_loop_figures_unreadable")[0] += 1

    def text(self) -> bytes:
        """Return what all workers counted, in Prometheus' text format."""
        return generate_latest(self._registry)

    def exposed(self, accept: str) -> tuple[bytes, str]:
        """Return the same in the format a scraper accepts, OpenMetrics or text, and its type.

        Parameters
        ----------
        accept : str
            The header ``Accept``; empty takes the text format.
        """
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind

    def collect(self) -> Iterator[Metric]:
        """Return the families as Prometheus' client wants them."""
        sums = self._counters.sums()
        more: dict[str, list[Metric]] = {}
        for source in (self._now, *self._sources):
            for family in source():
                more.setdefault(family.name, []).append(family)
        counted: dict[str, list[tuple[list[str], Cells, list[float]]]] = {}
        for key, cells in sums.items():
            if key.startswith("["):  # others count under names of another kind
                name, labels, edges = read_counted(key)
                counted.setdefault(name, []).append((labels, cells, edges))
        for name in FAMILIES:
            if name.startswith("gleis_feature"):
                continue
            made = make_family(name)
            for labels, cells, edges in counted.get(name, ()):
                add_series(made, (self.name, *labels), cells, edges)
            for other in more.pop(name, ()):
                made.samples += other.samples
            yield made
        yield from self._features(sums)
        for families in more.values():
            yield from families

    def _now(self) -> Iterator[Metric]:
        """Say which version answers now."""
        if self._service is None:
            return
        version, model = self._service.version, self._service.package.outliers
        number, info = str(version.number), make_family("gleis_model_info")
        add_series(info, (self.name, number, version.digest), np.ones(1))
        yield info
        if model is not None:
            threshold = make_family("gleis_outlier_threshold")
            add_series(threshold, (self.name, number), np.array([model.threshold]))
            yield threshold

    def _features(self, sums: dict[str, Cells]) -> Iterator[Metric]:
        service = self._service
        missing, values = make_family("gleis_feature_missing"), make_family("gleis_feature")
        if service is not None:
            profile = Sketches(
                service.package.reference.features,
                lambda count: sums.get(sketched_as(service.version.digest), np.zeros(count)),
            ).profile()
            for name in _weightiest(service, profile.columns):
                sketch, labels = profile.columns[name], (self.name, name)
                add_series(missing, labels, np.array([sketch.missing], dtype=np.float64))
                if isinstance(sketch, NumberSketch):
                    total = sketch.mean * (sketch.rows - sketch.missing)
                    cells = np.array([*sketch.counts, total], dtype=np.float64)
                    add_series(values, labels, cells, sketch.edges)
        yield missing
        yield values

    def _draw(self, service: Service | None) -> Drawn | None:
        """Return the histograms of a service."""
        if service is None:
            return None
        drawn = self._drawn.get(service)
        if drawn is None:
            if len(self._drawn) >= _SERVICES:
                self._drawn.clear()
            drawn = self._drawn[service] = Drawn(service, self.cell, self._histogram)
        return drawn

    def _find(self, family: str, *labels: str) -> Cells:
        return self._counters.cells(counted_as(family, labels))

    def _histogram(self, family: str, labels: tuple[str, ...], edges: Sequence[float]) -> Histogram:
        return Histogram(
            self._counters.cells(counted_as(family, labels, edges), len(edges) + 2), edges
        )

    def _forget_gauges(self) -> None:
        """Forget how busy the dead worker was whose place this one may have taken."""
        for key in self._counters.names():
            if key.startswith("[") and FAMILIES[read_counted(key)[0]].kind == "gauge":
                self._counters.cells(key)[0] = 0.0


class _Reader(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.collect()


def _weightiest(service: Service, names: Iterable[str]) -> list[str]:
    """Return the features to show, those of most importance first."""
    known = service.package.evidence.importance
    weight = {name: figure.value for name, figure in known[0].features.items()} if known else {}
    return sorted(names, key=lambda name: -weight.get(name, 0.0))[:FEATURES]
