"""The HTTP adapter: a bare ASGI application over the data plane."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

import msgspec

from gleis.contracts.clock import Clock
from gleis.contracts.errors import GleisError, RequestError, UnavailableError
from gleis.contracts.prediction import Batch
from gleis.serving.bodies import ClientGoneError, Receive, read_body, read_items
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.openapi import describe
from gleis.serving.service import Service
from gleis.serving.statuses import body_of, status_of
from gleis.store.group_commit import GroupCommit

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]
Reply = tuple[int, bytes]
Handler = Callable[[Scope, Receive], Awaitable[Reply]]

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
_CLOSE = (b"connection", b"close")
_LARGE = 65_536
"""Bytes of a body from which on it is worked on beside the event loop."""


class App:
    """``/predict``, ``/labels`` and what operators look at.

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
    """

    def __init__(
        self,
        live: LiveService,
        commits: GroupCommit,
        clock: Clock,
        metrics: Metrics,
        *,
        max_body: int = 10_000_000,
    ) -> None:
        self.draining = False
        """True while the server shuts down: answers then ask clients to reconnect elsewhere."""
        self._live = live
        self._commits = commits
        self._clock = clock
        self._metrics = metrics
        self._max_body = max_body
        self._announced: Service | None = None
        self._description = b""
        self._routes: dict[str, tuple[str, Handler]] = {
            "/predict": ("POST", self._predict),
            "/labels": ("POST", self._label),
            "/livez": ("GET", self._livez),
            "/readyz": ("GET", self._readyz),
            "/metrics": ("GET", self._show_metrics),
            "/openapi.json": ("GET", self._openapi),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        try:
            status, body = await self._dispatch(path, scope, receive)
        except ClientGoneError:
            return
        except GleisError as error:
            status, body = status_of(error), _encode(body_of(error))
            if status >= 500:
                _log.error("%s answers %d: %s", path, status, error)
        except Exception:  # noqa: BLE001 - a client reads no stack trace; the log has it
            _log.exception("%s failed", path)
            status, body = 500, _encode(body_of(_failure()))
        known = path in self._routes
        self._metrics.requested(path if known else "other", status)
        headers = [
            _TEXT if path == "/metrics" and status == 200 else _JSON,
            (b"content-length", b"%d" % len(body)),
        ]
        if self.draining:
            headers.append(_CLOSE)
        if status == 405:
            headers.append((b"allow", self._routes[path][0].encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _dispatch(self, path: str, scope: Scope, receive: Receive) -> Reply:
        route = self._routes.get(path)
        if route is None:
            there = f"There is {', '.join(self._routes)}."
            missing = RequestError("There is nothing at this path", seen=path, remedy=there)
            return 404, _encode(body_of(missing))
        method, handler = route
        asked = scope["method"]
        if asked != method and not (asked == "HEAD" and method == "GET"):
            wrong = RequestError(f"{path} wants {method}", seen=asked, remedy=f"Use {method}.")
            return 405, _encode(body_of(wrong))
        return await handler(scope, receive)

    def _service(self) -> Service:
        """Return the service that answers now; note when it is a new one."""
        service = self._live.current
        if service is None:
            raise UnavailableError(
                f"{self._live.name} has no model to answer with",
                seen=self._live.error,
                remedy="Train one with gleis run, or promote a version with gleis promote.",
            )
        if service is not self._announced:
            self._announced = service
            self._description = b""
            self._metrics.serving(service)
        return service

    async def _predict(self, scope: Scope, receive: Receive) -> Reply:
        body = await read_body(scope["headers"], receive, self._max_body)
        started = perf_counter()
        service = self._service()
        if len(body) < _LARGE:
            batch, single = _answer(service, body)
        else:
            batch, single = await asyncio.to_thread(_answer, service, body)
        ids = await self._commits.append(batch)
        answers = service.render(batch, ids)
        self._metrics.predicted(batch, perf_counter() - started)
        return 200, _encode(answers[0] if single else {"predictions": answers})

    async def _label(self, scope: Scope, receive: Receive) -> Reply:
        body = await read_body(scope["headers"], receive, self._max_body)
        items, _ = read_items(body, "labels")
        labels = self._service().labels.read(items)
        receipt = await self._commits.label(labels, self._clock.now())
        self._metrics.labelled(receipt)
        return (202 if receipt.unknown else 200), _encode(receipt)

    async def _livez(self, _scope: Scope, _receive: Receive) -> Reply:
        return 200, b'{"alive":true}'

    async def _readyz(self, _scope: Scope, _receive: Receive) -> Reply:
        service = self._live.current
        ready = service is not None and not self.draining
        version = service.version if service else None
        state = {
            "ready": ready,
            "draining": self.draining,
            "model": self._live.name,
            "version": version.number if version else None,
            "digest": version.digest if version else None,
            "reload_error": self._live.error,
        }
        return (200 if ready else 503), _encode(state)

    async def _show_metrics(self, _scope: Scope, _receive: Receive) -> Reply:
        if self._live.current is not None:
            self._service()
        return 200, self._metrics.text()

    async def _openapi(self, _scope: Scope, _receive: Receive) -> Reply:
        service = self._service()
        self._description = self._description or _encode(describe(service))
        return 200, self._description

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._live.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        # Requests in flight are done by now; what waits for the disk is written.
        await asyncio.to_thread(self._live.stop)
        await asyncio.to_thread(self._commits.close)
        await send({"type": "lifespan.shutdown.complete"})


def _answer(service: Service, body: bytes) -> tuple[Batch, bool]:
    rows, single = read_items(body, "rows")
    return service.answer(rows), single


def _failure() -> GleisError:
    return GleisError("The server failed", remedy="Its log says why.")
