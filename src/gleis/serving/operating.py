"""What operators and their tools look at: health and counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, json_reply

_TEXT = b"text/plain; version=0.0.4; charset=utf-8"


def routes(plane: Plane, draining: Callable[[], bool]) -> Sequence[Route]:
    """Return the routes over a data plane.

    Parameters
    ----------
    plane : Plane
    draining : callable
        Says whether the server shuts down.
    """

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

    async def metrics(_request: Request) -> Reply:
        if plane.live.current is not None:
            _ = plane.service  # says which version answers
        return Reply(200, plane.metrics.text(), _TEXT)

    return (
        Route("/livez", {"GET": livez}, "open"),
        Route("/readyz", {"GET": readyz}, "open"),
        Route("/metrics", {"GET": metrics}, "observe"),
    )
