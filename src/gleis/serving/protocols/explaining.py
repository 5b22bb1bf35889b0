"""``/explain``: why the model answers a row as it does; ``/explain/model``: what it relies on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gleis.contracts.errors import BusyError, MalformedError
from gleis.contracts.explanation import LocalMethod
from gleis.serving.deadline import Deadline
from gleis.serving.explanations import Explainer
from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, json_reply

_T = TypeVar("_T")


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of one row. What a method does not take is refused."""

    row: dict[str, Any]
    """As for a prediction."""
    method: LocalMethod = "shap"
    of: str | None = msgspec.field(default=None, name="class")
    """The class to explain; default: the likeliest, or the positive one of two."""
    precision: Annotated[float, Meta(ge=0.5, lt=1)] | UnsetType = UNSET
    """Of an anchor: share of rows under the rule that must get the same answer."""
    to: str | UnsetType = UNSET
    """Of a counterfactual: the class that is wanted."""
    at_least: float | UnsetType = UNSET
    """Of a counterfactual: the value that is wanted, or more."""
    at_most: float | UnsetType = UNSET
    """Of a counterfactual: the value that is wanted, or less."""
    count: Annotated[int, Meta(ge=1, le=10)] | UnsetType = UNSET
    """Of a counterfactual: how many."""


class ModelQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of the model."""

    method: Literal["pdp", "ice", "ale", "surrogate", "shap_summary"]
    of: str | None = msgspec.field(default=None, name="class")
    """The class whose scores are looked at; default: the positive one of two, the last of more."""
    feature: str | UnsetType = UNSET
    """Of pdp, ice and ale."""
    beside: str | UnsetType = UNSET
    """Of pdp: a second feature that is set too."""
    grid: Annotated[int, Meta(ge=2, le=100)] | UnsetType = UNSET
    """Of pdp, ice and ale: values of the feature."""
    lines: Annotated[int, Meta(ge=1, le=500)] | UnsetType = UNSET
    """Of ice: rows that are shown."""
    depth: Annotated[int, Meta(ge=1, le=4)] | UnsetType = UNSET
    """Of a surrogate."""


def routes(plane: Plane, deadline: Deadline) -> Sequence[Route]:
    """Return the routes over a data plane.

    Parameters
    ----------
    plane : Plane
    deadline : Deadline
        How long one explanation may take, and how many may be made at once.
    """
    explainer: Explainer | None = None

    def current() -> Explainer:
        nonlocal explainer
        service = plane.service
        if explainer is None or explainer.service is not service:
            explainer = Explainer(service)
        return explainer

    async def explain(request: Request) -> Reply:
        question = _read(await request.body(), Question, _ROW)
        asked, options = current(), _options(question, ("row",))
        return await _within(
            deadline, lambda: asked.explain(question.row, question.method, options)
        )

    async def explain_model(request: Request) -> Reply:
        if request.scope["method"] == "POST":
            question = _read(await request.body(), ModelQuestion, _MODEL)
        else:
            question = _parse(request.scope.get("query_string", b""))
        asked, options = current(), _options(question, ())
        return await _within(deadline, lambda: asked.explain_model(question.method, options))

    return (
        Route("/explain", {"POST": explain}, "predict"),
        Route("/explain/model", {"GET": explain_model, "POST": explain_model}, "predict"),
    )


async def _within(deadline: Deadline, work: Callable[[], Any]) -> Reply:
    try:
        return json_reply(await deadline.run(work))
    except TimeoutError as error:
        # With a reason it was not begun.
        what = (
            "Too many explanations are asked for at once"
            if str(error)
            else f"The explanation took longer than {deadline.seconds:g} s"
        )
        raise BusyError(
            what,
            remedy="Ask again later; serve.explanations and serve.explanation_timeout set the "
            "limits.",
            retry_after=deadline.seconds if not str(error) else 1.0,
        ) from error


_ROW = 'Send {"row": {...}}, with "method": "shap", "lime", "anchor" or "counterfactual".'
_MODEL = 'Send {"method": "pdp", "feature": NAME}, or ask for ice, ale, surrogate or shap_summary.'


def _read(body: bytes, kind: type[_T], remedy: str) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(
            f"The body is no question for an explanation: {error}",
            seen=body[:60].decode("utf-8", "replace"),
            remedy=remedy,
        ) from error


def _parse(query: bytes) -> ModelQuestion:
    try:
        pairs = dict(parse_qsl(query.decode("ascii"), keep_blank_values=True))
        return msgspec.convert(pairs, ModelQuestion, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise MalformedError(
            f"The query is no question for an explanation: {error}",
            seen=query[:60].decode("ascii", "replace"),
            remedy="Ask for /explain/model?method=pdp&feature=NAME.",
        ) from error


def _options(question: Question | ModelQuestion, beside: tuple[str, ...]) -> dict[str, Any]:
    """Return what was said for the method."""
    said = msgspec.structs.asdict(question)
    if said["of"] is None:
        del said["of"]
    return {
        name: value
        for name, value in said.items()
        if name not in ("method", *beside) and value is not UNSET
    }
