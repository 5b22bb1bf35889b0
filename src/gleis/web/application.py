"""The page of the service itself."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gleis.serving.protocols.statistics import APPLICATION
from gleis.serving.statistics.application import ApplicationMetrics, Latency
from gleis.web.rendering import Drawn, milliseconds, render

_MOST = 20
"""Flags that are drawn."""


def application_page(found: ApplicationMetrics) -> Response:
    """Return the page."""
    drawn = []
    if found.latency.count:
        drawn.append(Drawn("latency", "histogram", latency_rows(found.latency)))
    if found.requests:
        requests = [
            {
                "path": one.path,
                "status": one.status,
                "kind": f"{one.status // 100}xx",
                "count": one.count,
            }
            for one in found.requests
        ]
        drawn.append(Drawn("requests", "requests", requests))
    if found.flags:
        flags = [{"name": flag, "count": rows} for flag, rows in found.flags.items()]
        drawn.append(Drawn("flags", "counts", flags[:_MOST]))
    return render(
        "application.html",
        APPLICATION,
        drawn,
        name=found.model,
        title="service",
        found=found,
        memory=sum(worker.memory_bytes or 0 for worker in found.workers),
        answered=sum(one.rows for one in found.predictions if one.role != "shadow"),
        fallbacks=sum(found.fallbacks.values()),
    )


def latency_rows(latency: Latency) -> list[dict[str, Any]]:
    """Return a chart's rows: the buckets between the first and the last that are used."""
    used = [at for at, bucket in enumerate(latency.buckets) if bucket.count]
    shown = latency.buckets[used[0] : used[-1] + 1]
    last = next((b.at_most for b in reversed(latency.buckets) if b.at_most is not None), None)
    return [
        {
            "bucket": f"> {milliseconds(last)}"
            if bucket.at_most is None
            else f"≤ {milliseconds(bucket.at_most)}",
            "order": at,
            "count": bucket.count,
        }
        for at, bucket in enumerate(shown)
    ]
