"""Connections that end: nobody holds one open with half a request, or a header without end."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any, NamedTuple

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gleis.contracts.errors import GleisError, MalformedError, RequestError, UnavailableError
from gleis.serving.statuses import body_of


class WireLimits(NamedTuple):
    """What one connection may take."""

    connections: int = 1000
    """At once; one more is sent away with 503."""
    header: int = 65_536
    """Bytes of path and headers that come in several pieces; more get 431."""
    patience: float = 30.0
    """Seconds until a request must have come in whole, and a new connection must have begun one;
    then 408."""


ORDINARY = WireLimits()
_PHRASES = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class Connection(HttpToolsProtocol):
    """A connection that knows since when it waits for a request to be complete.

    The request path only notes a time; ``end_slow`` looks at all connections once a second.
    """

    limits = ORDINARY

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: Any = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.waiting: float | None = None
        """Since when a request, or the first byte of one, is awaited; None between requests."""
        self._header = 0
        """Bytes of path and headers so far; 0 while none are awaited."""
        self._ends = False
        """Whether it closes after the answer under way."""

    def connection_made(self, transport: Any) -> None:
        """Take it, or send it away if there are too many."""
        super().connection_made(transport)
        self.waiting = monotonic()
        if len(self.connections) > self.limits.connections:
            self.refuse(503, _crowded(self.limits.connections))

    def on_message_begin(self) -> None:
        """Note when a request begins."""
        super().on_message_begin()
        self.waiting = monotonic()
        self._header = 1

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._header = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self.waiting = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with what waits, or end a connection that was given up."""
        more = bool(self.pipeline)
        super().on_response_complete()
        if self._ends and not more:
            self.transport.close()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer what came in whole, though the client says no more, then close."""
        if self.scheme == "http":
            return self._finish()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # TLS ends in both directions at once
            self.cycle.message_event.set()
        return None

    def _finish(self) -> bool:
        """End after the requests that came in whole; return whether there are any."""
        cycle = self.cycle
        if self.pipeline and cycle.more_body:
            self.pipeline.popleft()  # the newest, half of it; the others are whole
            self._ends = True
        elif self.pipeline or (
            cycle is not None and not cycle.response_complete and not cycle.more_body
        ):
            self._ends = True
        return self._ends

    def data_received(self, data: bytes) -> None:
        """Take bytes; while path and headers are not complete, count them.

        The parser keeps a header to itself until it ends, so it is not enough to look at those
        that have.
        """
        if self._ends:
            return
        super().data_received(data)
        if self._header:
            self._header += len(data)
            if self._header > self.limits.header:
                self.refuse(431, _long(self.limits.header))

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self.refuse(400, MalformedError("This is not HTTP/1.1", remedy="Mend the request."))

    def refuse(self, status: int, error: GleisError) -> None:
        """Answer an error and close; requests that came in whole before are answered first."""
        if self.transport.is_closing():
            return
        if self._finish():
            return
        cycle = self.cycle
        pending = cycle is not None and not cycle.response_complete
        if pending:  # its handler waits for the rest of the body, in vain
            cycle.disconnected = True
            cycle.message_event.set()
        if not (pending and cycle.response_started):
            body = msgspec.json.encode(body_of(error))
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%s" % (status, _PHRASES[status], len(body), body)
            )
        self.transport.close()


def connection_class(limits: WireLimits) -> type[Connection]:
    """Return the class of connections that keep to ``limits``."""
    return type("Connection", (Connection,), {"limits": limits})


def end_slow(connections: Iterable[Any], now: float) -> None:
    """Close connections on which a request has been awaited for too long.

    Parameters
    ----------
    connections : iterable of Connection
    now : float
        Of the monotonic clock.
    """
    for connection in list(connections):
        since = connection.waiting
        if since is not None and now - since > connection.limits.patience:
            connection.refuse(408, _slow(connection.limits.patience))


def _slow(seconds: float) -> RequestError:
    return RequestError(
        "The request did not come in whole in time",
        remedy=f"Send it within {seconds:g} s; send large tables in several requests.",
    )


def _long(size: int) -> RequestError:
    return RequestError(
        "Path and headers are too long", remedy=f"Send at most {size} bytes, and rows in the body."
    )


def _crowded(count: int) -> UnavailableError:
    return UnavailableError(
        "There are too many connections", seen=count, remedy="Come again, with fewer at once."
    )
