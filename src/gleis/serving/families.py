"""The metric families that a service counts, and how counted cells become Prometheus' own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal, NamedTuple

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from gleis.store.counters import Cells


class Family(NamedTuple):
    """One metric: its kind, what it says, and its labels beside ``model``."""

    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()


FAMILIES: Mapping[str, Family] = {
    "gleis_predictions": Family(
        "counter",
        "Rows answered, by model version, its role and whether the baseline answered instead.",
        ("version", "role", "fallback"),
    ),
    "gleis_fallbacks": Family(
        "counter", "Rows the baseline answered in the model's place, by reason.", ("reason",)
    ),
    "gleis_prediction_seconds": Family(
        "histogram", "Seconds from the request's body to its durable answer."
    ),
    "gleis_model_seconds": Family(
        "counter", "Seconds models took to score, by version and role.", ("version", "role")
    ),
    "gleis_score": Family(
        "histogram",
        "Scores of the rows answered; of the likeliest class where there are several.",
        ("version",),
    ),
    "gleis_answers": Family(
        "counter", "Rows answered, by the class that was predicted.", ("version", "label")
    ),
    "gleis_outlier_score": Family(
        "histogram",
        "Outlier scores of the rows answered; an edge is the threshold.",
        ("version",),
    ),
    "gleis_outlier_threshold": Family(
        "gauge", "Outlier score above which the version that answers flags a row.", ("version",)
    ),
    "gleis_flags": Family("counter", "Rows served though unusual, by field and reason.", ("flag",)),
    "gleis_feature": Family(
        "histogram", "Values of numeric features, in the bins of the training rows.", ("feature",)
    ),
    "gleis_feature_missing": Family("counter", "Rows without a value, by feature.", ("feature",)),
    "gleis_labels": Family(
        "counter",
        "Labels received: accepted; of these unknown (no prediction yet) and changed.",
        ("outcome",),
    ),
    "gleis_feedback": Family("counter", "Ratings of answers, 1 to 5.", ("rating",)),
    "gleis_requests": Family("counter", "HTTP requests.", ("path", "status")),
    "gleis_admitted": Family(
        "counter",
        "Requests let through, by the caller's key id; token stands for all with a token.",
        ("caller",),
    ),
    "gleis_model_info": Family(
        "gauge", "1 for the version that answers now.", ("version", "digest")
    ),
    "gleis_share": Family(
        "gauge",
        "Share of the rows that a version is given; a shadow sees all of them.",
        ("version", "role"),
    ),
    "gleis_reload_errors": Family(
        "counter", "New versions refused while loading; the old one keeps answering."
    ),
    "gleis_connections": Family("gauge", "Open connections of all workers."),
    "gleis_connections_most": Family("gauge", "Connections that all workers take at once."),
    "gleis_log_queue": Family("gauge", "Commits that wait for the prediction log."),
    "gleis_late_seconds": Family(
        "counter",
        "Seconds by which the event loops came late; their rate is the share of time spent busy.",
    ),
    "gleis_workers": Family("gauge", "Processes that answer."),
    "process_cpu_seconds": Family("counter", "Processor seconds of all workers."),
    "process_resident_memory_bytes": Family("gauge", "Memory of all workers."),
    "process_open_fds": Family("gauge", "Open files and connections of all workers."),
    "gleis_loop_figures_unreadable": Family(
        "counter", "Scrapes without the loop's figures, because they could not be read."
    ),
}
"""By name, without the ``_total`` of a counter. All have the label ``model``, the project's name.

Label values are bounded: paths, statuses, versions served, the contract's features and flags;
nothing a client sends becomes a label."""

_KINDS = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def counted_as(family: str, labels: Sequence[str] = (), edges: Sequence[float] = ()) -> str:
    """Return the name that cells of a family's series are counted under."""
    return msgspec.json.encode((family, labels, edges)).decode()


def read_counted(name: str) -> tuple[str, list[str], list[float]]:
    """Return family, labels and edges of what ``counted_as`` named."""
    return msgspec.json.decode(name, type=tuple[str, list[str], list[float]])


def make_family(name: str) -> Any:
    """Return a family of Prometheus' client without series."""
    family = FAMILIES[name]
    return _KINDS[family.kind](name, family.text, labels=("model", *family.labels))


def add_series(made: Any, labels: Sequence[str], cells: Cells, edges: Sequence[float] = ()) -> None:
    """Add a series to a family.

    Parameters
    ----------
    made : family
        From ``make_family``.
    labels : sequence of str
        With the model's name first.
    cells : ndarray of float64
        The value, summed over workers; of a histogram (n_edges + 2,): counts between edges, then
        the sum of all values.
    edges : sequence of float
        Increasing.
    """
    family = FAMILIES[made.name]
    if family.kind == "histogram":
        bounds = (*map(repr, edges), "+Inf")
        totals = accumulate(cells[:-1].tolist())
        made.add_metric(labels, list(zip(bounds, totals, strict=True)), float(cells[-1]))
    else:
        made.add_metric(labels, float(cells[0]))
