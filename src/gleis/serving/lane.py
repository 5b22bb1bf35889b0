"""The short way of a small ``POST /predict``: from the parser to the turn and back to the socket.

An ASGI request costs a scope, a task, an event and three coroutines before a handler has seen a
byte: about 25 us. A prediction needs none of them: its body has come in whole with its headers, and
its answer is written when its turn ends. Everything else about it is as for any request: who may
ask, limits, errors, counting, saying goodbye, pipelining.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from gleis.serving.protocols.predicting import write_answers

if TYPE_CHECKING:
    from gleis.serving.answers import Answer
    from gleis.serving.routes import Reply

Headers = list[tuple[bytes, bytes]]
LARGEST = 65_536
"""Bytes of a body that goes this way; a larger one is worked on beside the event loop."""


class Lane(Protocol):
    """The application, as this way in sees it."""

    draining: bool
    largest: int
    """Bytes of a body that goes this way."""

    def ask(self, headers: Headers, body: bytes, direct: Direct, /) -> None:
        """Take a request; tell ``direct`` its answers or what went wrong, now or later."""
        ...

    def finish(self, status: int, /) -> None:
        """Count it."""
        ...

    def explain(self, error: BaseException, /) -> Reply:
        """Write an error."""
        ...

    def beat(self, connections: int, most: int, due: float, /) -> None:
        """Hear once a second how many connections are open, and how many are taken at once.

        ``due`` seconds should have passed since the last time.
        """
        ...


class _Nobody:
    """An event that no task waits for."""

    def set(self) -> None:
        """Wake nobody."""


_NOBODY = _Nobody()


class Direct:
    """One such request: what uvicorn asks of a request under way, and who waits for its answers.

    Parameters
    ----------
    connection : Connection
    lane : Lane
    keep_alive : bool
        Whether the client wants to send more on this connection.
    """

    __slots__ = (
        "body",
        "connection",
        "disconnected",
        "keep_alive",
        "lane",
        "more_body",
        "response_complete",
        "response_started",
        "single",
    )
    message_event = _NOBODY

    def __init__(self, connection: Any, lane: Lane, keep_alive: bool) -> None:
        self.connection = connection
        self.lane = lane
        self.keep_alive = keep_alive
        self.body = b""
        self.more_body = True
        self.disconnected = False
        self.response_started = False
        self.response_complete = False
        self.single = True

    def done(self) -> bool:
        """Say whether nobody waits any more."""
        return self.disconnected or self.response_complete

    def set_result(self, answers: list[Answer]) -> None:
        """Write the answers out."""
        self._write(200, write_answers(answers, self.single), b"application/json")

    def set_exception(self, error: BaseException) -> None:
        """Write an error out."""
        if not self.done():
            reply = self.lane.explain(error)
            self._write(reply.status, reply.body, reply.kind, reply.headers)

    def _write(
        self, status: int, body: bytes, kind: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self.response_started = self.response_complete = True
        connection, lane = self.connection, self.lane
        lane.finish(status)
        more = b"".join(b"%s: %s\r\n" % header for header in headers)
        if lane.draining or not self.keep_alive:
            self.keep_alive = False
            more += b"connection: close\r\n"
        head = connection.head(status)
        connection.transport.write(
            b"%scontent-type: %s\r\ncontent-length: %d\r\n%s\r\n%s"
            % (head, kind, len(body), more, body)
        )
        if self.keep_alive:
            connection.on_response_complete()
        else:
            connection.end()
