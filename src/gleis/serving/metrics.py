"""What Prometheus reads: counters of all workers of a service, updated cheaply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from gleis.contracts.prediction import Batch, LabelReceipt
from gleis.contracts.profile import NumberSketch
from gleis.serving.rows import Rows
from gleis.serving.service import Service
from gleis.serving.sketches import Sketches
from gleis.store.counters import Cells, Counters

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SHARES = tuple(step / 20 for step in range(1, 20))


class _Family(NamedTuple):
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()


_FAMILIES = {
    "gleis_predictions": _Family(
        "counter",
        "Rows answered, by model version, its role and whether the baseline answered instead.",
        ("model", "version", "role", "fallback"),
    ),
    "gleis_fallbacks": _Family(
        "counter", "Rows the baseline answered in the model's place, by reason.", ("reason",)
    ),
    "gleis_prediction_seconds": _Family(
        "histogram", "Seconds from the request's body to its durable answer."
    ),
    "gleis_model_seconds": _Family(
        "counter", "Seconds models took to score, by version and role.", ("version", "role")
    ),
    "gleis_flags": _Family(
        "counter", "Rows served though unusual, by field and reason.", ("flag",)
    ),
    "gleis_labels": _Family(
        "counter",
        "Labels received: accepted; of these unknown (no prediction yet) and changed.",
        ("outcome",),
    ),
    "gleis_requests": _Family("counter", "HTTP requests.", ("path", "status")),
    "gleis_admitted": _Family(
        "counter",
        "Requests let through, by the caller's key id; token stands for all with a token.",
        ("caller",),
    ),
    "gleis_model_info": _Family(
        "gauge", "1 for the version that answers now.", ("model", "version", "digest")
    ),
    "gleis_reload_errors": _Family(
        "counter", "New versions refused while loading; the old one keeps answering."
    ),
    "gleis_score": _Family("histogram", "Scores of the rows answered."),
    "gleis_feature_missing": _Family("counter", "Rows without a value, by feature.", ("feature",)),
    "gleis_feature": _Family(
        "histogram", "Values of numeric features, in the bins of the training rows.", ("feature",)
    ),
}
_SKETCH = "sketch"


class Metrics:
    """Counters and histograms of a service's workers.

    Label values are bounded: paths, statuses, versions served, the contract's features and flags;
    nothing a client sends becomes a label.

    Parameters
    ----------
    name : str
        Name of the model.
    counters : Counters, optional
        Shared with the other workers; by default in this process's memory.
    """

    def __init__(self, name: str, counters: Counters | None = None) -> None:
        self._name = name
        self._counters = counters or Counters()
        self._registry = CollectorRegistry()
        self._registry.register(_Reader(self))
        self._cell = cache(self._find)
        self._seconds = np.array(_SECONDS)
        self._latencies = self._histogram("gleis_prediction_seconds", (), _SECONDS)
        self._edges = np.array(_SHARES)
        self._scores = self._histogram("gleis_score", (), _SHARES)
        self._service: Service | None = None
        self._sketches: dict[Service, Sketches] = {}
        self._forget_info()
        self._find("gleis_reload_errors")

    def serving(self, service: Service) -> None:
        """Note which version answers from now on."""
        version = service.version
        self._service = service
        self._forget_info()
        self._find("gleis_model_info", self._name, str(version.number), version.digest)[0] = 1.0
        edges = _score_edges(service)
        self._edges = np.array(edges)
        self._scores = self._histogram("gleis_score", (), edges)
        reference = service.package.reference.features
        key = f"{_SKETCH}\t{version.digest}"
        self._sketches = {
            service: Sketches(
                reference, lambda count: self._counters.cells(key, count), service.numeric
            )
        }

    def answered(self, batches: Sequence[Batch], seconds: Sequence[float]) -> None:
        """Count batches whose records are on disk.

        Parameters
        ----------
        batches : sequence of Batch
        seconds : sequence of float
            From body to answer, of each request that has its answer now.
        """
        for batch in batches:
            version, fallback = str(batch.version), "true" if batch.fallback else "false"
            self._cell("gleis_predictions", self._name, version, batch.role, fallback)[0] += (
                batch.rows
            )
            if batch.reason is not None:
                self._cell("gleis_fallbacks", batch.reason)[0] += batch.rows
            if batch.seconds is not None:
                self._cell("gleis_model_seconds", version, batch.role)[0] += batch.seconds
            if batch.role != "shadow":
                scores = np.asarray(batch.scores)
                _count(
                    self._scores, self._edges, scores.max(axis=1) if scores.ndim == 2 else scores
                )
            for flag, positions in batch.flags.items():
                self._cell("gleis_flags", flag)[0] += len(positions)
        if seconds:
            _count(self._latencies, self._seconds, np.asarray(seconds))

    def saw(self, service: Service, rows: Rows) -> None:
        """Sketch the rows that a service answered."""
        sketches = self._sketches.get(service)
        if sketches is not None:
            sketches.add(rows)

    def labelled(self, receipt: LabelReceipt) -> None:
        """Count labels that were kept."""
        self._cell("gleis_labels", "accepted")[0] += receipt.accepted
        self._cell("gleis_labels", "unknown")[0] += len(receipt.unknown)
        self._cell("gleis_labels", "changed")[0] += len(receipt.changed)

    def requested(self, path: str, status: int) -> None:
        """Count a request; ``path`` is one of the service's own, or ``other``."""
        self._cell("gleis_requests", path, str(status))[0] += 1

    def admitted(self, caller: str) -> None:
        """Count a request that was let through; ``caller`` is a key's id or ``token``."""
        self._cell("gleis_admitted", caller)[0] += 1

    def reload_failed(self) -> None:
        """Count a new version that was refused."""
        self._cell("gleis_reload_errors")[0] += 1

    def text(self) -> bytes:
        """Return what all workers counted, in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Return the families as Prometheus' client wants them."""
        counted: dict[str, list[tuple[list[str], list[float], Cells]]] = {}
        sums = self._counters.sums()
        for key, cells in sums.items():
            if not key.startswith(_SKETCH):
                name, labels, edges = msgspec.json.decode(
                    key, type=tuple[str, list[str], list[float]]
                )
                counted.setdefault(name, []).append((labels, edges, cells))
        for name, family in _FAMILIES.items():
            if name.startswith("gleis_feature"):
                continue
            made = _empty(name, family)
            for labels, edges, cells in counted.get(name, ()):
                if name != "gleis_score" or edges == self._edges.tolist():
                    _fill(made, family, labels, edges, cells)
            yield made
        yield from self._features(sums)

    def _features(self, sums: dict[str, Cells]) -> Iterator[Metric]:
        service = self._service
        missing = _empty("gleis_feature_missing", _FAMILIES["gleis_feature_missing"])
        values = _empty("gleis_feature", _FAMILIES["gleis_feature"])
        if service is not None:
            profile = Sketches(
                service.package.reference.features,
                lambda count: sums.get(f"{_SKETCH}\t{service.version.digest}", np.zeros(count)),
            ).profile()
            for name, sketch in profile.columns.items():
                missing.add_metric((name,), sketch.missing)
                if isinstance(sketch, NumberSketch):
                    total = sketch.mean * (sketch.rows - sketch.missing)
                    cells = np.array([*sketch.counts, total], dtype=np.float64)
                    _fill(values, _FAMILIES["gleis_feature"], [name], list(sketch.edges), cells)
        yield missing
        yield values

    def _find(self, family: str, *labels: str) -> Cells:
        return self._counters.cells(_key(family, labels, ()))

    def _histogram(self, family: str, labels: tuple[str, ...], edges: Sequence[float]) -> Cells:
        return self._counters.cells(_key(family, labels, edges), len(edges) + 2)

    def _forget_info(self) -> None:
        """Forget what this worker, or the dead one whose place it took, served before."""
        start = '["gleis_model_info"'
        for key in self._counters.names():
            if key.startswith(start):
                self._counters.cells(key)[0] = 0.0


class _Reader(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.collect()


def _key(family: str, labels: Sequence[str], edges: Sequence[float]) -> str:
    return msgspec.json.encode((family, labels, edges)).decode()


def _count(cells: Cells, edges: Cells, values: Cells) -> None:
    """Count values into a histogram's cells: buckets, then the sum."""
    if len(values) == 1:
        cells[edges.searchsorted(values[0])] += 1
        cells[-1] += values[0]
        return
    cells[:-1] += np.bincount(edges.searchsorted(values), minlength=len(cells) - 1)
    cells[-1] += values.sum()


def _empty(name: str, family: _Family) -> Any:
    kinds = {
        "counter": CounterMetricFamily,
        "gauge": GaugeMetricFamily,
        "histogram": HistogramMetricFamily,
    }
    return kinds[family.kind](name, family.text, labels=family.labels)


def _fill(
    made: Any, family: _Family, labels: Sequence[str], edges: Sequence[float], cells: Cells
) -> None:
    if family.kind == "histogram":
        bounds = (*map(repr, edges), "+Inf")
        totals = accumulate(cells[:-1].tolist())
        made.add_metric(labels, list(zip(bounds, totals, strict=True)), float(cells[-1]))
    elif family.kind == "gauge":
        if cells[0]:
            made.add_metric(labels, min(1.0, float(cells[0])))
    else:
        made.add_metric(labels, float(cells[0]))


def _score_edges(service: Service) -> tuple[float, ...]:
    """Twentieths for probabilities; for values the bins of the package's reference profile."""
    if service.contract.task != "regression":
        return _SHARES
    sketch = service.package.reference.scores.columns["score"]
    return sketch.edges if isinstance(sketch, NumberSketch) else ()
