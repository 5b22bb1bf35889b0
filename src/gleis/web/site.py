"""Pages beside the service: what is live, what was decided, what the monitors see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from gleis.config.settings import Settings
from gleis.contracts.errors import GleisError
from gleis.serving.http import App
from gleis.serving.lane import Lane
from gleis.serving.protocols.statistics import APPLICATION, DATA, MODEL, wants_page
from gleis.serving.statistics.records import Records
from gleis.serving.statuses import status_of
from gleis.store.home import Home
from gleis.web.application import application_page
from gleis.web.distribution import distribution_page
from gleis.web.doorkeeper import refusal, with_bearer
from gleis.web.drawing import FILES, Drawing
from gleis.web.model import model_page
from gleis.web.overview import overview
from gleis.web.rendering import render

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_STATISTICS = (DATA, MODEL, APPLICATION)
_START = Path(__file__).parent / "pages" / "start.js"
_KEPT = {"x-content-type-options": "nosniff", "cache-control": "private, max-age=60"}


class Site:
    """The service's application, with pages at ``/``, ``/reports`` and the paths of statistics.

    Requests to the service's own paths go straight through; of the statistics, browsers see pages.

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
        self._drawing = Drawing(home.folder / "pages")
        self._pages = Starlette(
            routes=[
                Route("/", self._overview),
                Route("/reports/{name}", self._report),
                Route("/pages/{name}", self._file),
                Route(DATA, self._distribution),
                Route(MODEL, self._model),
                Route(APPLICATION, self._application),
            ],
            exception_handlers={GleisError: _say_error},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a page, or leave it to the service."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _is_page(scope):
            answer = await refusal(self._app.access, scope) or self._pages
            await answer(scope, receive, send)
        elif scope["path"] in _STATISTICS and scope["method"] in ("GET", "HEAD"):
            # They change nothing: here too a key may be the password that a browser sends.
            await self._app(with_bearer(scope), receive, send)
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
        return render(
            "overview.html",
            "/",
            title="overview",
            address=str(request.base_url).rstrip("/"),
            **overview(self._settings, self._home),
        )

    def _distribution(self, request: Request) -> Response:
        plane = self._app.plane
        kinds = {column.name: column.kind for column in plane.service.contract.features}
        return distribution_page(self._records.data_distribution(plane), kinds)

    def _model(self, request: Request) -> Response:
        return model_page(self._records.model_statistics(self._app.plane))

    def _application(self, request: Request) -> Response:
        return application_page(self._records.application_metrics(self._app.plane))

    def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == "start.js":
            path = _START
        elif name in FILES:
            path = self._drawing.find(name)
        else:
            return PlainTextResponse("There is no such file.", status_code=404)
        return FileResponse(path, media_type="text/javascript", headers=_KEPT)

    def _report(self, request: Request) -> Response:
        name = request.path_params["name"]
        path = self._home.reports / name
        if "/" in name or name.startswith(".") or not path.is_file():
            return PlainTextResponse("There is no such report.", status_code=404)
        return FileResponse(path, media_type="text/html")

    @property
    def _records(self) -> Records:
        records = self._app.records
        assert records is not None
        return records


def _is_page(scope: Scope) -> bool:
    path = scope["path"]
    if path == "/" or path.startswith(("/reports/", "/pages/")):
        return True
    if path not in _STATISTICS or scope["method"] not in ("GET", "HEAD"):
        return False
    asked = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
    accepts = [value.decode("latin-1") for key, value in scope["headers"] if key == b"accept"]
    return wants_page(", ".join(accepts), asked.get("format"))


def _say_error(request: Request, error: Exception) -> Response:
    """Return what a browser shows where a page cannot be made."""
    assert isinstance(error, GleisError)
    return PlainTextResponse(str(error), status_of(error))
