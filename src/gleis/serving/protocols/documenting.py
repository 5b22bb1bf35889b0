"""``/openapi.json``, and ``/docs``: a page to try the service that needs no other server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from gleis.contracts.errors import RequestError
from gleis.serving.plane import Plane
from gleis.serving.protocols.openapi.document import describe
from gleis.serving.routes import Reply, Request, Route, encode, json_reply
from gleis.serving.service import Service
from gleis.serving.statuses import body_of

_FOLDER = Path(__file__).parent / "swagger"
_KINDS = {
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "start.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def routes(
    plane: Plane, served: Sequence[Route], guarded: Callable[[], bool] = lambda: False
) -> Sequence[Route]:
    """Return the routes over a data plane.

    Parameters
    ----------
    plane : Plane
    served : sequence of Route
        The other routes, which the document describes.
    guarded : callable
        Says whether callers must say who they are.
    """
    made: tuple[Service | None, bool, bytes] = (None, False, b"")

    async def openapi(_request: Request) -> Reply:
        nonlocal made
        service, closed = plane.service, guarded()
        if made[:2] != (service, closed):
            made = (service, closed, encode(describe(service, served, guarded=closed)))
        return Reply(200, made[2])

    async def page(_request: Request) -> Reply:
        return await _file("page.html", b"text/html; charset=utf-8")

    async def file(request: Request) -> Reply:
        name = request.params["file"]
        if name in _KINDS:
            return await _file(name, _KINDS[name])
        wrong = RequestError("There is no such file", seen=name, remedy="Open /docs in a browser.")
        return json_reply(body_of(wrong), 404)

    return (
        Route("/openapi.json", {"GET": openapi}, "open"),
        Route("/docs", {"GET": page}, "open"),
        Route("/docs/{file}", {"GET": file}, "open"),
    )


async def _file(name: str, kind: bytes) -> Reply:
    body = await asyncio.to_thread((_FOLDER / name).read_bytes)
    return Reply(200, body, kind, _HEADERS)
