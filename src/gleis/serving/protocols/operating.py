"""What operators and their tools look at: health and counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, json_reply
from gleis.serving.routing import Part

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
        shares = shares_text(plane.live.name, plane.live.parts())
        return Reply(200, plane.metrics.text() + shares, _TEXT)

    return (
        Route("/livez", {"GET": livez}, "open"),
        Route("/readyz", {"GET": readyz}, "open"),
        Route("/metrics", {"GET": metrics}, "observe"),
    )


def shares_text(name: str, parts: Sequence[Part]) -> bytes:
    """Return who takes part in a release, in Prometheus' text format; at most two lines.

    Examples
    --------
    >>> part = Part(version=3, digest="d", role="champion", share=0.95)
    >>> print(shares_text("flights", [part]).decode().splitlines()[-1])
    gleis_share{model="flights",version="3",role="champion"} 0.95
    """
    lines = [
        "# HELP gleis_share Share of the rows that a version is given; a shadow sees all of them.",
        "# TYPE gleis_share gauge",
    ]
    lines += [
        f'gleis_share{{model="{name}",version="{part.version}",role="{part.role}"}} {part.share:g}'
        for part in parts
    ]
    return ("\n".join(lines) + "\n").encode()
