"""Connections that end: nobody holds one open with half a request, or a header without end."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any, NamedTuple

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from gleis.contracts.errors import GleisError, MalformedError, RequestError, UnavailableError
from gleis.serving.lane import Direct, Lane
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
_PREDICT = b"/predict"
_DECIDING = frozenset((b"content-length", b"content-encoding", b"transfer-encoding", b"expect"))


class Connection(HttpToolsProtocol):
    """A connection that knows since when it waits for a request to be complete.

    The request path only notes a time; ``end_slow`` looks at all connections once a second.
    """

    limits = ORDINARY
    lane: Lane | None = None
    """Where small predictions go directly; None sends everything through ASGI."""

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
        self.idle: float | None = None
        """Since when nothing was asked; None while something is."""
        self._direct: Direct | None = None
        """The request that is coming in, if it goes by the lane."""
        self._length = -1
        """Its declared length; -1 if there is none, or if it does not fit the lane."""
        self._dated: tuple[Any, bytes] = (None, b"")

    def connection_made(self, transport: Any) -> None:
        """Take it, or send it away if there are too many."""
        super().connection_made(transport)
        self.waiting = monotonic()
        if len(self.connections) > self.limits.connections:
            self.refuse(503, _crowded(self.limits.connections))

    def on_message_begin(self) -> None:
        """Note when a request begins; what ASGI wants of it is made once it needs that."""
        self.waiting = monotonic()
        self._header = 1
        self._direct = None
        self._length = -1
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; note those that decide which way the request goes."""
        name = name.lower()
        self.headers.append((name, value))
        if name in _DECIDING:
            if name == b"content-length" and len(value) < 6 and self._length == -1:
                self._length = int(value)
            else:
                self._length = -2
                if name == b"expect" and value.lower() == b"100-continue":
                    self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._header = 0
        lane, cycle = self.lane, self.cycle
        if (
            lane is not None
            and self.url == _PREDICT
            and 0 <= self._length <= lane.largest
            and (cycle is None or cycle.response_complete)
            and not self.pipeline
            and self.parser.get_method() == b"POST"
            and not self.parser.should_upgrade()
        ):
            keep = self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()
            self._direct = self.cycle = Direct(self, lane, keep)  # type: ignore[assignment]
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        direct = self._direct
        if direct is None:
            super().on_body(body)
        else:
            direct.body += body

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self.waiting = None
        direct = self._direct
        if direct is None:
            super().on_message_complete()
            return
        direct.more_body = False
        self._direct = None
        direct.lane.ask(self.headers, direct.body, direct)

    def on_response_complete(self) -> None:
        """Go on with what waits, or end a connection that was given up."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._ends:
            self.transport.close()
        else:
            # No timer: arming and disarming one costs more than looking once a second.
            self.idle = monotonic()

    def end(self) -> None:
        """Close after an answer that says so."""
        self.server_state.total_requests += 1
        self.transport.close()

    def head(self, status: int) -> bytes:
        """Return the status line and the headers that every answer has."""
        headers = self.server_state.default_headers
        if status != 200:
            return STATUS_LINE[status] + _lines(headers)
        known, text = self._dated
        if known is not headers:  # replaced once a second, by one with another date
            text = STATUS_LINE[status] + _lines(headers)
            self._dated = (headers, text)
        return text

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
        self.idle = None
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
                b"%scontent-type: application/json\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%s" % (STATUS_LINE[status], len(body), body)
            )
        self.transport.close()


def connection_class(limits: WireLimits, lane: Lane | None = None) -> type[Connection]:
    """Return the class of connections that keep to ``limits`` and know the lane."""
    return type("Connection", (Connection,), {"limits": limits, "lane": lane})


def end_slow(connections: Iterable[Any], now: float) -> None:
    """Close connections on which a request has been awaited, or nothing asked, for too long.

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
        elif connection.idle is not None and now - connection.idle > connection.timeout_keep_alive:
            connection.transport.close()


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%s: %s\r\n" % header for header in headers)


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
