"""``/explain``: why the model answers a row as it does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from gleis.contracts.errors import MalformedError
from gleis.serving.explanations import Explainer
from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, json_reply


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked."""

    row: dict[str, Any]
    """As for a prediction."""
    method: Literal["shap"] = "shap"
    of: str | None = msgspec.field(default=None, name="class")
    """The class to explain; default: the likeliest, or the positive one of two."""


def routes(plane: Plane) -> Sequence[Route]:
    """Return the routes over a data plane."""
    explainer: Explainer | None = None

    async def explain(request: Request) -> Reply:
        nonlocal explainer
        question = _read(await request.body())
        service = plane.service
        if explainer is None or explainer.service is not service:
            explainer = Explainer(service)
        options = {} if question.of is None else {"of": question.of}
        return json_reply(
            await asyncio.to_thread(explainer.explain, question.row, question.method, options)
        )

    return (Route("/explain", {"POST": explain}, "predict"),)


def _read(body: bytes) -> Question:
    try:
        return msgspec.json.decode(body, type=Question)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(
            f"The body is no question for an explanation: {error}",
            seen=body[:60].decode("utf-8", "replace"),
            remedy='Send {"row": {...}}, with "method": "shap" and "class" if you like.',
        ) from error
