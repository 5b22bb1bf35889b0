"""``/predict`` and ``/labels``: gleis's own protocol."""

from __future__ import annotations

from collections.abc import Sequence

from gleis.serving.answers import Answer
from gleis.serving.bodies import read_items
from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, encode, json_reply

PREDICT = "/predict"


def write_answers(answers: list[Answer], single: bool) -> bytes:
    """Return the body that answers one object, or a list of them."""
    return encode(answers[0] if single else {"predictions": answers})


def routes(plane: Plane) -> Sequence[Route]:
    """Return the routes over a data plane."""

    async def predict(request: Request) -> Reply:
        answers, single = await plane.predict_body(await request.body())
        return Reply(200, write_answers(answers, single))

    async def label(request: Request) -> Reply:
        items, _ = read_items(await request.body(), "labels")
        receipt = await plane.label(items)
        return json_reply(receipt, 202 if receipt.unknown else 200)

    return (
        Route(PREDICT, {"POST": predict}, "predict"),
        Route("/labels", {"POST": label}, "label"),
    )
