"""What operators and their tools look at: health and counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from prometheus_client import Metric

from gleis.serving.families import add_series, make_family
from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, json_reply
from gleis.serving.routing import Part


def routes(plane: Plane, draining: Callable[[], bool]) -> Sequence[Route]:
    """Return the routes over a data plane.

    Parameters
    ----------
    plane : Plane
    draining : callable
        Says whether the server shuts down.
    """
    plane.metrics.also(lambda: shares(plane.live.name, plane.live.parts()))

    async def livez(_request: Request) -> Reply:
        return Reply(200, b'{"alive":true}')

    async def readyz(_request: Request) -> Reply:
        service = plane.live.current
        ready = service is not None and not draining()
        version = service.version if service else None
        state = {
            "ready": ready,
            "draining": draining(),
            "model": plane.live.name,
            "version": version.number if version else None,
            "digest": version.digest if version else None,
            "reload_error": plane.live.error,
            "parts": plane.live.parts(),
        }
        return json_reply(state, 200 if ready else 503)

    async def metrics(request: Request) -> Reply:
        if plane.live.current is not None:
            _ = plane.service  # says which version answers
        accept = request.header(b"accept") or b""
        text, kind = plane.metrics.exposed(accept.decode("latin-1"))
        return Reply(200, text, kind.encode())

    return (
        Route("/livez", {"GET": livez}, "open"),
        Route("/readyz", {"GET": readyz}, "open"),
        Route("/metrics", {"GET": metrics}, "observe"),
    )


def shares(name: str, parts: Sequence[Part]) -> Iterator[Metric]:
    """Return who takes part in a release; at most two.

    Examples
    --------
    >>> part = Part(version=3, digest="d", role="champion", share=0.95)
    >>> next(shares("flights", [part])).samples[0].value
    0.95
    """
    made = make_family("gleis_share")
    for part in parts:
        add_series(made, (name, str(part.version), part.role), np.array([part.share]))
    yield made
