"""What Prometheus reads: counters of this process, updated cheaply."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from gleis.contracts.prediction import Batch, LabelReceipt
from gleis.contracts.profile import NumberSketch
from gleis.serving.service import Service

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SHARES = tuple(step / 20 for step in range(1, 20))


class Metrics:
    """Counters and histograms of one serving process, in a registry of their own.

    Label values are bounded: paths, statuses, versions served and the contract's flags; nothing
    a client sends becomes a label.

    Parameters
    ----------
    name : str
        Name of the model.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._registry = CollectorRegistry(auto_describe=True)
        register = self._registry
        predictions = Counter(
            "gleis_predictions_total",
            "Rows answered, by model version and whether the baseline answered in its place.",
            ("model", "version", "fallback"),
            registry=register,
        )
        self._seconds = Histogram(
            "gleis_prediction_seconds",
            "Seconds from the request's body to its durable answer.",
            buckets=_SECONDS,
            registry=register,
        )
        flags = Counter(
            "gleis_flags_total",
            "Rows served though unusual, by field and reason.",
            ("flag",),
            registry=register,
        )
        labels = Counter(
            "gleis_labels_total",
            "Labels received: accepted; of these unknown (no prediction yet) and changed.",
            ("outcome",),
            registry=register,
        )
        requests = Counter(
            "gleis_requests_total", "HTTP requests.", ("path", "status"), registry=register
        )
        self._info = Gauge(
            "gleis_model_info",
            "1 for the version that answers now.",
            ("model", "version", "digest"),
            registry=register,
        )
        self._reload_errors = Counter(
            "gleis_reload_errors_total",
            "New versions refused while loading; the old one keeps answering.",
            registry=register,
        )
        self._scores = ScoreHistogram(_SHARES)
        register.register(self._scores)
        # A child is looked up by its labels under a lock; keep the ones in use.
        self._predictions = cache(
            lambda version, fallback: predictions.labels(name, str(version), str(fallback).lower())
        )
        self._flags = cache(flags.labels)
        self._labels = cache(labels.labels)
        self._requests = cache(lambda path, status: requests.labels(path, str(status)))

    def serving(self, service: Service) -> None:
        """Note which version answers from now on."""
        version = service.version
        self._info.clear()
        self._info.labels(self._name, str(version.number), version.digest).set(1)
        self._scores.use(_score_edges(service))

    def answered(self, batches: Sequence[Batch], seconds: Sequence[float]) -> None:
        """Count batches whose records are on disk.

        Parameters
        ----------
        batches : sequence of Batch
        seconds : sequence of float
            From body to answer, of each request that has its answer now.
        """
        for batch in batches:
            self._predictions(batch.version, batch.fallback).inc(batch.rows)
            if batch.role != "shadow":
                self._scores.observe(batch.scores)
            for flag, positions in batch.flags.items():
                self._flags(flag).inc(len(positions))
        for one in seconds:
            self._seconds.observe(one)

    def overlooked(self, rows: int) -> None:
        """Count rows that a shadow did not see because it could not keep up."""

    def labelled(self, receipt: LabelReceipt) -> None:
        """Count labels that were kept."""
        self._labels("accepted").inc(receipt.accepted)
        self._labels("unknown").inc(len(receipt.unknown))
        self._labels("changed").inc(len(receipt.changed))

    def requested(self, path: str, status: int) -> None:
        """Count a request; ``path`` is one of the service's own, or ``other``."""
        self._requests(path, status).inc()

    def reload_failed(self) -> None:
        """Count a new version that was refused."""
        self._reload_errors.inc()

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)


class ScoreHistogram(Collector):
    """Histogram of scores that takes a whole batch at once.

    A probability of the positive class (binary) or of the likeliest class (multiclass), or a
    value (regression).

    Parameters
    ----------
    edges : sequence of float
        Increasing upper bounds; one more bucket takes the rest.

    Examples
    --------
    >>> histogram = ScoreHistogram((0.5, 1.0))
    >>> histogram.observe([0.2, 0.5, 0.7])
    >>> [count for _, count in histogram.buckets()]
    [2, 3, 3]
    """

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges: tuple[float, ...] = ()
        self.use(edges)

    def use(self, edges: Sequence[float]) -> None:
        """Count in these buckets from now on; other ones start from zero."""
        if tuple(edges) != self._edges:
            self._edges = tuple(edges)
            self._counts = [0] * (len(self._edges) + 1)
            self._sum = 0.0

    def observe(self, scores: Sequence[float] | Sequence[Sequence[float]]) -> None:
        """Count scores, (n_rows,) or (n_rows, n_classes)."""
        if len(scores) == 1:
            only = scores[0]
            score = only if isinstance(only, float) else max(only)
            self._counts[bisect_left(self._edges, score)] += 1
            self._sum += score
            return
        values = np.asarray(scores)
        values = values.max(axis=1) if values.ndim == 2 else values
        found = np.bincount(np.searchsorted(self._edges, values), minlength=len(self._counts))
        self._counts = [old + new for old, new in zip(self._counts, found.tolist(), strict=True)]
        self._sum += float(values.sum())

    def buckets(self) -> list[tuple[str, float]]:
        """Return upper bounds and cumulative counts, as Prometheus wants them."""
        total = 0
        found: list[tuple[str, float]] = []
        for bound, count in zip((*map(repr, self._edges), "+Inf"), self._counts, strict=True):
            total += count
            found.append((bound, total))
        return found

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Hand the histogram to Prometheus."""
        family = HistogramMetricFamily("gleis_score", "Scores of the rows answered.")
        family.add_metric((), self.buckets(), self._sum)
        yield family


def _score_edges(service: Service) -> tuple[float, ...]:
    """Twentieths for probabilities; for values the bins of the package's reference profile."""
    if service.contract.task != "regression":
        return _SHARES
    sketch = service.package.reference.scores.columns["score"]
    return sketch.edges if isinstance(sketch, NumberSketch) else ()
