"""What the HTTP adapters share: a request, a reply, and which handler answers which path."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from gleis.contracts.errors import GleisError, MalformedError, RequestError
from gleis.serving.bodies import Receive, read_body
from gleis.serving.compressed import inflate
from gleis.serving.statuses import body_of

Scope = MutableMapping[str, Any]
Role = Literal["open", "predict", "label", "observe", "retrain"]
"""What a caller must be allowed to do; ``open`` asks for nothing."""
ErrorBody = Callable[[GleisError], dict[str, Any]]

JSON = b"application/json"
encode = msgspec.json.Encoder().encode


class Request:
    """One HTTP request, its body not read yet.

    Parameters
    ----------
    scope : mapping
        The ASGI scope.
    receive : callable
    params : dict of str to str
        What the route's template matched: ``{name}`` -> text.
    max_body : int
        Bytes.
    """

    __slots__ = ("caller", "max_body", "params", "receive", "scope")

    def __init__(
        self, scope: Scope, receive: Receive, params: dict[str, str], max_body: int
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.params = params
        self.max_body = max_body
        self.caller: str | None = None
        """Who sends it: a key's id or a token's subject; None where nobody has to say."""

    async def body(self) -> bytes:
        """Read the body, inflated; see ``read_body`` and ``inflate`` for what they raise."""
        body = await read_body(self.scope["headers"], self.receive, self.max_body)
        encoding = self.header(b"content-encoding")
        if encoding is None:
            return body
        return await asyncio.to_thread(inflate, body, encoding, self.max_body)

    def header(self, name: bytes) -> bytes | None:
        """Return a header's value by its lower-case name; None if it was not sent."""
        return next((value for key, value in self.scope["headers"] if key == name), None)


class Reply(NamedTuple):
    """What goes back."""

    status: int
    body: bytes
    kind: bytes = JSON
    """Content type."""
    headers: tuple[tuple[bytes, bytes], ...] = ()


Handler = Callable[[Request], Awaitable[Reply]]


class Route(NamedTuple):
    """One path, with a handler for each method."""

    path: str
    """A path, or a template: ``/v2/models/{model}/infer``."""
    handlers: dict[str, Handler]
    """Method -> handler; HEAD follows from GET."""
    role: Role
    error_body: ErrorBody = body_of
    """How this protocol writes an error."""
    reading: Role | None = None
    """What GET asks for, where that is something else."""

    def asked_by(self, method: str) -> Route:
        """Return the route as a method asks for it."""
        other = self.reading if method in ("GET", "HEAD") else None
        return self if other is None else self._replace(role=other)


class Routes:
    """Finds the route of a path: fixed paths by one look-up, templates in their order.

    Parameters
    ----------
    routes : iterable of Route

    Raises
    ------
    ValueError
        A path stands there twice.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, Route] = {}
        self._templates: list[tuple[re.Pattern[str], Route]] = []
        for route in routes:
            if "{" in route.path:
                self._templates.append((_pattern(route.path), route))
            elif route.path in self._fixed:
                raise ValueError(f"two routes for {route.path}")
            else:
                self._fixed[route.path] = route

    @property
    def paths(self) -> list[str]:
        """All paths and templates."""
        return [*self._fixed, *(route.path for _, route in self._templates)]

    def find(self, path: str) -> tuple[Route | None, dict[str, str]]:
        """Return the route of a path and what its template matched; None if there is none."""
        route = self._fixed.get(path)
        if route is not None:
            return route, {}
        for pattern, templated in self._templates:
            if match := pattern.fullmatch(path):
                return templated, {key: unquote(text) for key, text in match.groupdict().items()}
        return None, {}

    def error_body_at(self, path: str) -> ErrorBody:
        """Return how the protocol that a path belongs to by its first part writes an error."""
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        route = self._fixed.get(f"/{first}")
        return body_of if route is None else route.error_body


def json_reply(content: Any, status: int = 200) -> Reply:
    """Return a reply with ``content`` as JSON."""
    return Reply(status, encode(content))


def query_of(request: Request) -> dict[str, str]:
    """Return what a request's query says; the last of several values counts.

    Raises
    ------
    MalformedError
        It is no query.
    """
    query: bytes = request.scope.get("query_string", b"")
    try:
        return dict(parse_qsl(query.decode("ascii"), keep_blank_values=True))
    except ValueError as error:
        raise MalformedError(
            f"The query cannot be read: {error}",
            seen=query[:60].decode("ascii", "replace"),
            remedy="Write NAME=VALUE&NAME=VALUE, in ASCII.",
        ) from error


def method_not_allowed(route: Route, asked: str) -> Reply:
    """Return the reply to a method that a route does not know."""
    methods = ", ".join(route.handlers)
    wrong = RequestError(f"{route.path} wants {methods}", seen=asked, remedy=f"Use {methods}.")
    allow = (b"allow", methods.encode())
    return Reply(405, encode(route.error_body(wrong)), headers=(allow,))


def not_found(routes: Routes, path: str) -> Reply:
    """Return the reply to a path that leads nowhere."""
    there = f"There is {', '.join(routes.paths)}."
    error = RequestError("There is nothing at this path", seen=path, remedy=there)
    return json_reply(routes.error_body_at(path)(error), 404)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(
        f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
    return re.compile(text)
