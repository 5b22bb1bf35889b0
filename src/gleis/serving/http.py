"""The HTTP adapter: a bare ASGI application over the data plane."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from gleis.contracts.clock import Clock
from gleis.contracts.errors import GleisError
from gleis.serving.bodies import ClientGoneError, Receive
from gleis.serving.deadline import Deadline
from gleis.serving.lane import LARGEST, Direct, Headers, Lane
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.plane import Plane
from gleis.serving.protocols import (
    documenting,
    explaining,
    feedback,
    invocations,
    operating,
    predicting,
    retraining,
    statistics,
    v2,
)
from gleis.serving.routes import (
    Reply,
    Request,
    Route,
    Routes,
    Scope,
    encode,
    method_not_allowed,
    not_found,
)
from gleis.serving.saturation import Saturation
from gleis.serving.statistics.records import Records
from gleis.serving.statuses import headers_of, status_of
from gleis.serving.turns import Router
from gleis.store.log.group_commit import GroupCommit

Send = Callable[[Any], Awaitable[None]]

_log = logging.getLogger(__name__)
_CLOSE = (b"connection", b"close")


class Access(Protocol):
    """Who may do what."""

    @property
    def guarded(self) -> bool:
        """Whether callers must say who they are."""
        ...

    def admit(self, request: Request, route: Route) -> None:
        """Let a request through to its route.

        Raises
        ------
        RequestError
            It is not allowed.
        """
        ...

    def start(self) -> None:
        """Begin to follow who may do what."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class App:
    """The service's protocols and what operators look at.

    An answer leaves only after the log has its record on disk.

    Parameters
    ----------
    live : LiveService
        Followed while the application runs.
    commits : GroupCommit
        Writes the prediction log; closed when the application stops.
    clock : Clock
    metrics : Metrics
    max_body : int
        Bytes in one body.
    access : Access, optional
        Asked before every handler; None lets everybody do everything.
    router : Router, optional
        Splits rows over services; by default ``live``, as the running release says.
    timeout : float
        Seconds a model may take before its baseline answers.
    explaining : Deadline, optional
        How long one explanation may take, and how many may be made at once; default 10 s and 2.
    records : Records, optional
        What statistics, feedback and requests for a retraining are kept in; without it there are
        no paths for them.
    """

    def __init__(
        self,
        live: LiveService,
        commits: GroupCommit,
        clock: Clock,
        metrics: Metrics,
        *,
        max_body: int = 10_000_000,
        access: Access | None = None,
        router: Router | None = None,
        timeout: float = 1.0,
        explaining: Deadline | None = None,
        records: Records | None = None,
    ) -> None:
        self.draining = False
        """True while the server shuts down: answers then ask clients to reconnect elsewhere."""
        self.largest = min(LARGEST, max_body)
        self._live = live
        self._commits = commits
        self._metrics = metrics
        self._saturation = Saturation(metrics, commits)
        self._max_body = max_body
        self.access = access
        self.records = records
        self._plane = Plane(live, commits, clock, metrics, router=router, timeout=timeout)
        self._routes = Routes(
            protocols(
                self._plane,
                lambda: self.draining,
                lambda: self.access is not None and self.access.guarded,
                explaining or Deadline(10.0, most=2),
                records,
            )
        )
        self._predict, _ = self._routes.find(predicting.PREDICT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    @property
    def plane(self) -> Plane:
        """The data plane, for pages."""
        return self._plane

    @property
    def lane(self) -> Lane:
        """The short way for small predictions."""
        return self

    def ask(self, headers: Headers, body: bytes, direct: Direct) -> None:
        """Answer a small ``POST /predict`` whose body is here, without a task; see ``lane.py``.

        What any other way in would do is done: the caller is let in or not, the body read, the
        request answered in its turn, an error written as this protocol writes it.
        """
        route = self._predict
        assert route is not None
        try:
            if self.access is not None:
                request = Request({"headers": headers}, _no_more, {}, self._max_body)
                self.access.admit(request, route)
            self._plane.start(body, direct)
        except Exception as error:  # noqa: BLE001 - it hears of it as any client does
            direct.set_exception(error)

    def finish(self, status: int) -> None:
        """Count a request that ``ask`` took."""
        self._metrics.requested(predicting.PREDICT, status)

    def beat(self, connections: int, most: int, due: float) -> None:
        """Note how busy this process is."""
        self._saturation.note(connections, most, due)

    def explain(self, error: BaseException) -> Reply:
        """Return what a client of ``/predict`` reads about an error."""
        assert self._predict is not None
        return _reply_to(error, self._predict)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        route, params = self._routes.find(path)
        if route is None:
            reply = not_found(self._routes, path)
        else:
            try:
                reply = await self._answer(route, Request(scope, receive, params, self._max_body))
            except ClientGoneError:
                return
        self._metrics.requested("other" if route is None else route.path, reply.status)
        headers = [
            (b"content-type", reply.kind),
            (b"content-length", b"%d" % len(reply.body)),
            *reply.headers,
        ]
        if self.draining:
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, route: Route, request: Request) -> Reply:
        """Return the handler's reply, or the error's in the protocol's own form."""
        method = request.scope["method"]
        handler = route.handlers.get("GET" if method == "HEAD" else method)
        try:
            if self.access is not None:
                self.access.admit(request, route.asked_by(method))
            if handler is None:
                return method_not_allowed(route, method)
            return await handler(request)
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 - a client reads no stack trace; the log has it
            return _reply_to(error, route)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._live.start()
        if self.access is not None:
            self.access.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        # Requests in flight are done by now; what waits for the disk is written.
        await asyncio.to_thread(self._live.stop)
        if self.access is not None:
            await asyncio.to_thread(self.access.stop)
        await asyncio.to_thread(self._commits.close)
        await send({"type": "lifespan.shutdown.complete"})


def _reply_to(error: BaseException, route: Route) -> Reply:
    """Write an error in the route's own form; what nobody expected only the log sees whole."""
    if isinstance(error, GleisError):
        status = status_of(error)
        if status >= 500:
            _log.error("%s answers %d: %s", route.path, status, error)
        return Reply(status, encode(route.error_body(error)), headers=headers_of(error))
    _log.error("%s failed", route.path, exc_info=error)
    failure = GleisError("The server failed", remedy="Its log says why.")
    return Reply(500, encode(route.error_body(failure)))


async def _no_more() -> Any:
    """Stand where a body would be received; it is here already."""
    raise AssertionError("the body is here already")


def protocols(
    plane: Plane,
    draining: Callable[[], bool],
    guarded: Callable[[], bool],
    slow: Deadline,
    records: Records | None = None,
) -> Sequence[Route]:
    """Return the routes of every protocol the service speaks; another one is added here."""
    served = (
        *predicting.routes(plane),
        *explaining.routes(plane, slow),
        *v2.routes(plane, draining),
        *invocations.routes(plane, draining),
        *operating.routes(plane, draining),
    )
    if records is not None:
        served += (
            *statistics.routes(plane, records),
            *feedback.routes(plane, records),
            *retraining.routes(records),
        )
    return (*served, *documenting.routes(plane, served, guarded))
