"""How the service itself fares: requests, latency, predictions, workers."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from prometheus_client import Metric

from gleis.store.log.logged import LogCounts

Samples = Mapping[str, list[tuple[Mapping[str, str], float]]]


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to one path that got one status."""

    path: str
    """As the service names it; ``other`` leads nowhere."""
    status: int
    count: int


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that took at most so long, and longer than the bucket before."""

    at_most: float | None
    """Seconds; None: no upper end."""
    count: int


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from a prediction's body to its durable answer."""

    count: int
    mean: float | None
    """None if nobody asked yet."""
    p50: float | None
    """Linear within a bucket; None if nobody asked yet, or if it lies beyond the last bucket."""
    p95: float | None
    p99: float | None
    buckets: tuple[Bucket, ...]


class AnsweredRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that one version answered in one role."""

    version: int
    role: str
    fallback: bool
    rows: int


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A process that answers."""

    pid: int
    since: datetime
    memory_bytes: int | None
    """Resident; None where the system does not say."""


class ApplicationMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """The service, all workers together, since they were started."""

    model: str
    at: datetime
    since: datetime
    uptime_seconds: float
    workers: tuple[Worker, ...]
    requests: tuple[Requests, ...]
    latency: Latency
    predictions: tuple[AnsweredRows, ...]
    fallbacks: dict[str, int]
    """Reason -> rows."""
    flags: dict[str, int]
    """Flag -> rows."""
    log: LogCounts
    """What the prediction log holds, from before the start too."""
    feedback: int
    """Ratings in the log."""


def samples_of(families: Iterable[Metric]) -> Samples:
    """Return the samples of metric families, by name."""
    found: defaultdict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
    for family in families:
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return found


def requests_of(samples: Samples) -> tuple[Requests, ...]:
    """Return requests by path and status."""
    return tuple(
        Requests(path=labels["path"], status=int(labels["status"]), count=int(count))
        for labels, count in sorted(
            samples.get("gleis_requests_total", ()),
            key=lambda sample: (sample[0]["path"], sample[0]["status"]),
        )
    )


def latency_of(samples: Samples) -> Latency:
    """Return how long predictions took."""
    passed: defaultdict[float, float] = defaultdict(float)
    for labels, count in samples.get("gleis_prediction_seconds_bucket", ()):
        passed[float(labels["le"])] += count
    seconds = sum(value for _, value in samples.get("gleis_prediction_seconds_sum", ()))
    edges = sorted(passed)
    totals = [passed[edge] for edge in edges]
    count = int(totals[-1]) if totals else 0
    before = [0.0, *totals]
    return Latency(
        count=count,
        mean=seconds / count if count else None,
        p50=_quantile(edges, totals, 0.5),
        p95=_quantile(edges, totals, 0.95),
        p99=_quantile(edges, totals, 0.99),
        buckets=tuple(
            Bucket(at_most=edge if math.isfinite(edge) else None, count=int(total - former))
            for edge, total, former in zip(edges, totals, before, strict=False)
        ),
    )


def predictions_of(samples: Samples) -> tuple[AnsweredRows, ...]:
    """Return rows by version, role and who answered."""
    return tuple(
        AnsweredRows(
            version=int(labels["version"]),
            role=labels["role"],
            fallback=labels["fallback"] == "true",
            rows=int(rows),
        )
        for labels, rows in samples.get("gleis_predictions_total", ())
    )


def rows_by(samples: Samples, name: str, label: str) -> dict[str, int]:
    """Return rows by a label of a family, the most frequent first."""
    found: defaultdict[str, int] = defaultdict(int)
    for labels, rows in samples.get(name, ()):
        found[labels[label]] += int(rows)
    return dict(sorted(found.items(), key=lambda counted: (-counted[1], counted[0])))


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process of this machine; None if nobody says."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _quantile(edges: list[float], totals: list[float], share: float) -> float | None:
    """Return a quantile of a histogram, linear within its bucket, as Prometheus does.

    Examples
    --------
    >>> _quantile([1.0, 2.0, math.inf], [10, 20, 20], 0.75)
    1.5
    """
    if not totals or not totals[-1]:
        return None
    wanted = share * totals[-1]
    at = next(place for place, total in enumerate(totals) if total >= wanted)
    if not math.isfinite(edges[at]):
        return None
    low, former = (edges[at - 1], totals[at - 1]) if at else (0.0, 0.0)
    return low + (edges[at] - low) * (wanted - former) / (totals[at] - former)
