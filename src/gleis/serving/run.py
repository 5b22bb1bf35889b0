"""Run the application on a port until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import sys
from collections.abc import Awaitable, Callable
from time import monotonic
from types import FrameType
from typing import Any, Protocol

import uvicorn

from gleis.contracts.errors import ConfigError
from gleis.serving.lane import Lane
from gleis.serving.tls import Certificate
from gleis.serving.wire import ORDINARY, WireLimits, connection_class, end_slow

_HANDOVER = 0.0005
"""Seconds after which a thread is asked to hand over the interpreter."""
_YOUNG = 20_000
"""New objects after which the collector looks at them; a turn makes some hundreds."""
_GRACE = 0.5
"""Seconds in which clients that are still sending are asked to reconnect elsewhere."""


class Application(Protocol):
    """An ASGI application that can be told to say goodbye."""

    draining: bool

    @property
    def lane(self) -> Lane | None:
        """Where small predictions go directly; None if there is no such way."""
        ...

    def __call__(self, scope: Any, receive: Any, send: Any, /) -> Awaitable[None]:
        """Answer one request, or start and stop with the server."""
        ...


def bind(host: str, port: int) -> socket.socket:
    """Take a port, before anything else starts.

    Parameters
    ----------
    host : str
    port : int
        0 takes any free one.

    Raises
    ------
    ConfigError
        The port is in use, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(2048)
    except (OSError, OverflowError) as error:
        taken.close()
        in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise ConfigError(
            f"Port {port} on {host} is in use" if in_use else f"{host}:{port} cannot be served",
            seen=str(error),
            remedy="Take another one: --port 8001, or serve.port in gleis.toml.",
            field="serve.port",
        ) from error
    taken.setblocking(False)
    return taken


def serve(
    app: Application,
    listening: socket.socket,
    *,
    started: Callable[[str, int], None] = lambda host, port: None,
    limits: WireLimits = ORDINARY,
    certificate: Certificate | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or ``Server.stop``; then finish what was accepted.

    Parameters
    ----------
    app : Application
    listening : socket
        From ``bind``; closed at the end.
    started : callable
        Called with the host and port once requests are answered.
    limits : WireLimits, optional
        What one connection may take.
    certificate : Certificate, optional
        Answer over TLS, with it.
    """
    _prepare_process()
    Server(app, listening, started, limits, certificate).run()


def _prepare_process() -> None:
    """Make this process one that answers requests.

    What is loaded by now stays, so the collector need not look at it again and again: a full
    collection of it costs tens of milliseconds. And the thread that writes the log waits up to
    ``_HANDOVER`` for the interpreter, not 5 ms, before it can let a commit go.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
    sys.setswitchinterval(_HANDOVER)


class Server(uvicorn.Server):
    """A uvicorn server that says goodbye to its clients before it goes.

    On the first signal the port is closed and answers begin to say ``Connection: close``, so that
    clients in conversation leave by themselves; then idle connections are closed and what is left
    is finished. (Closing a connection at once would fail the request that is on its way on it.)

    Parameters
    ----------
    app : Application
    listening : socket
    started : callable
    limits : WireLimits
    certificate : Certificate, optional
    """

    def __init__(
        self,
        app: Application,
        listening: socket.socket,
        on_start: Callable[[str, int], None] = lambda host, port: None,
        limits: WireLimits = ORDINARY,
        certificate: Certificate | None = None,
    ) -> None:
        context = None if certificate is None else certificate.context
        super().__init__(
            uvicorn.Config(
                app,
                loop="auto",
                http=connection_class(limits, app.lane),
                ws="none",
                lifespan="on",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=30,
                ssl_context_factory=None if context is None else lambda *_: context,
            )
        )
        self._app = app
        self._listening = listening
        self._on_start = on_start
        self._certificate = certificate
        self._most = limits.connections

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        super().run(sockets or [self._listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where."""
        await super().startup(sockets)
        host, port = self._listening.getsockname()[:2]
        self._on_start(host, port)

    async def on_tick(self, counter: int) -> bool:
        """End slow connections and count them once a second; look for a certificate every ten."""
        if counter % 10 == 0:
            connections = self.server_state.connections
            end_slow(connections, monotonic())
            if self._app.lane is not None:
                self._app.lane.beat(len(connections), self._most, 1.0)
        if counter % 100 == 99 and self._certificate is not None:
            self._certificate.renew()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, ask clients to leave, and finish what was accepted."""
        self._app.draining = True
        for server in self.servers:
            server.close()
        deadline = monotonic() + _GRACE
        while self.server_state.connections and monotonic() < deadline:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal. It is not raised again at the end: the caller still has to tidy up."""
        self.force_exit = self.should_exit
        self.should_exit = True

    def stop(self) -> None:
        """Stop as a signal would, from any thread."""
        self.should_exit = True
