"""Pages beside the service: what is live, what was decided, what the monitors see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gleis.config.settings import Settings
from gleis.serving.http import App
from gleis.serving.lane import Lane
from gleis.store.home import Home
from gleis.web.doorkeeper import refusal
from gleis.web.overview import overview

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_PAGES = Environment(
    loader=PackageLoader("gleis.web", "pages"),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


class Site:
    """The service's application, with pages at ``/`` and ``/reports``.

    Requests to the service's own paths go straight through.

    Parameters
    ----------
    app : App
    settings : Settings
    home : Home
    """

    def __init__(self, app: App, settings: Settings, home: Home) -> None:
        self._app = app
        self._settings = settings
        self._home = home
        self._pages = Starlette(
            routes=[
                Route("/", self._overview),
                Route("/reports/{name}", self._report),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a page, or leave it to the service."""
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == "/" or path.startswith("/reports/")):
            answer = await refusal(self._app.access, scope) or self._pages
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @property
    def lane(self) -> Lane:
        """The service's: no page lies on it."""
        return self._app.lane

    @property
    def draining(self) -> bool:
        """True while the server shuts down."""
        return self._app.draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._app.draining = value

    def _overview(self, request: Request) -> Response:
        page = _PAGES.get_template("overview.html")
        return HTMLResponse(page.render(overview(self._settings, self._home)))

    def _report(self, request: Request) -> Response:
        name = request.path_params["name"]
        path = self._home.reports / name
        if "/" in name or name.startswith(".") or not path.is_file():
            return PlainTextResponse("There is no such report.", status_code=404)
        return FileResponse(path, media_type="text/html")
