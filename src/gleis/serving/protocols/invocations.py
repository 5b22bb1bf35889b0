"""``/invocations``: MLflow's scoring protocol, as ``mlflow models serve`` speaks it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from gleis.contracts.errors import GleisError
from gleis.serving.answers import Answer
from gleis.serving.plane import Plane
from gleis.serving.protocols.invocation_rows import TableReader
from gleis.serving.routes import JSON, Reply, Request, Route, encode
from gleis.serving.rows import Row
from gleis.serving.statuses import status_of

_LARGE = 65_536
"""Bytes of a body from which on it is read beside the event loop."""
_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    413: "BAD_REQUEST",
    422: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}
_TEXT = b"text/plain; charset=utf-8"
_VERSION = re.compile(r'^mlflow_version: "?([^"\n]+)', re.MULTILINE)
_reader = lru_cache(maxsize=8)(TableReader)


def error_body(error: GleisError) -> dict[str, Any]:
    """Return an error as MLflow writes it.

    Examples
    --------
    >>> from gleis.contracts.errors import MalformedError
    >>> error_body(MalformedError("The body is empty", remedy="Send JSON."))
    {'error_code': 'BAD_REQUEST', 'message': 'The body is empty. Send JSON.'}
    """
    return {
        "error_code": _CODES.get(status_of(error), "INTERNAL_ERROR"),
        "message": str(error),
    }


def routes(plane: Plane, draining: Callable[[], bool]) -> Sequence[Route]:
    """Return the routes over a data plane.

    Parameters
    ----------
    plane : Plane
    draining : callable
        Says whether the server shuts down.
    """

    async def invoke(request: Request) -> Reply:
        kind = (request.header(b"content-type") or JSON).decode("latin-1")
        is_csv, refusal = _form(kind)
        if refusal:
            return Reply(415, refusal.encode(), _TEXT)
        body = await request.body()
        reader = _reader(plane.service.contract)
        read: Callable[[bytes], list[Row]] = reader.from_csv if is_csv else reader.from_json
        rows = read(body) if len(body) < _LARGE else await asyncio.to_thread(read, body)
        answers = await plane.predict(rows)
        return Reply(200, encode({"predictions": [_score(answer) for answer in answers]}))

    async def ping(_request: Request) -> Reply:
        there = plane.live.current is not None and not draining()
        return Reply(200 if there else 503, b"\n", _TEXT)

    async def version(_request: Request) -> Reply:
        folder = plane.service.package.path
        found = _VERSION.search((folder / "MLmodel").read_text(encoding="utf-8"))
        return Reply(200, found[1].encode() if found else b"unknown", _TEXT)

    return (
        Route("/invocations", {"POST": invoke}, "predict", error_body),
        Route("/ping", {"GET": ping}, "open", error_body),
        Route("/health", {"GET": ping}, "open", error_body),
        Route("/version", {"GET": version}, "open", error_body),
    )


def _form(kind: str) -> tuple[bool, str]:
    """Return whether a body is CSV, and why it is not read at all; empty if it is."""
    name, *parameters = (part.strip().lower() for part in kind.split(";"))
    if name not in ("text/csv", "application/json"):
        return False, (
            "This service reads the content types application/json and text/csv. Got "
            f"'{kind[:100]}'."
        )
    strange = [part for part in parameters if part.replace('"', "") != "charset=utf-8"]
    return name == "text/csv", "This service reads UTF-8 only." if strange else ""


def _score(answer: Answer) -> float | list[float]:
    """Return what ``mlflow.pyfunc`` predicts: the score, or those of all classes."""
    if isinstance(answer.probabilities, dict):
        return [*answer.probabilities.values()]
    assert isinstance(answer.score, float), "an answer has a score or probabilities"
    return answer.score
