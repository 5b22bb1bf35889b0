"""``/feedback``: what people think of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gleis.contracts.errors import InvalidRowError, MalformedError, UnknownIdError
from gleis.contracts.feedback import LONGEST_TEXT, RATINGS, Feedback, RatingSummary
from gleis.serving.given import read_object, read_text
from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, json_reply, query_of
from gleis.serving.statistics.records import Records

PATH = "/feedback"
LONGEST_BY = 200
"""Characters of a name."""
MOST = 500
"""On one page."""
_KEYS = frozenset({"prediction_id", "rating", "text", "by"})
_SHAPE = 'Send {"prediction_id": "...", "rating": 1 to 5}, with "text" and "by" if you like.'


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which feedback is listed."""

    limit: Annotated[int, Meta(ge=1, le=MOST)] = 50
    """At most so many."""
    before: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    """Only those with a smaller id: ``next`` of the page before."""
    version: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    """Only of answers of this version."""
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None
    """Only with this rating."""


class FeedbackPage(msgspec.Struct, frozen=True, kw_only=True):
    """Feedback, the newest first."""

    feedback: tuple[Feedback, ...]
    next: int | None
    """Ask with it as ``before`` for the next page; None if there is none."""
    summary: tuple[RatingSummary, ...]
    """Of all feedback there is, by version."""


def routes(plane: Plane, records: Records) -> Sequence[Route]:
    """Return the routes over a data plane and its records."""
    home, clock = records.home, records.clock

    async def take(request: Request) -> Reply:
        body = await request.body()
        given = await asyncio.to_thread(read_object, body, _KEYS, _SHAPE)
        kept = await asyncio.to_thread(keep, given, request.caller)
        plane.metrics.rated(kept.rating)
        return json_reply(kept, 201)

    def keep(given: Mapping[str, Any], caller: str | None) -> Feedback:
        prediction_id, rating = _prediction_id(given), _rating(given)
        text = read_text(given, "text", LONGEST_TEXT, lines=True)
        by = read_text(given, "by", LONGEST_BY)
        answered = home.log.find(prediction_id)
        if answered is None:
            raise UnknownIdError(
                "The log holds no such prediction",
                seen=prediction_id,
                remedy="Send prediction_id as the answer gave it.",
                field="prediction_id",
            )
        return home.feedback.add(
            Feedback(
                id=0,
                at=clock.now(),
                prediction_id=prediction_id,
                version=answered.version,
                rating=rating,
                text=text or "",
                by=by,
                caller=caller,
            )
        )

    async def listed(request: Request) -> Reply:
        asked = _asked(query_of(request))
        return json_reply(await asyncio.to_thread(page, asked))

    def page(asked: Asked) -> FeedbackPage:
        # One more than is shown says whether there are others.
        found = home.feedback.newest(
            asked.limit + 1, before=asked.before, version=asked.version, rating=asked.rating
        )
        shown = tuple(found[: asked.limit])
        return FeedbackPage(
            feedback=shown,
            next=shown[-1].id if len(found) > len(shown) else None,
            summary=tuple(home.feedback.summary()),
        )

    return (Route(PATH, {"GET": listed, "POST": take}, "predict", reading="observe"),)


def _asked(query: Mapping[str, str]) -> Asked:
    try:
        return msgspec.convert(query, Asked, strict=False)
    except msgspec.ValidationError as error:
        raise MalformedError(
            f"The query asks for no feedback: {error}",
            seen=dict(query),
            remedy="Ask for /feedback?limit=50, with before, version and rating if you like.",
        ) from error


def _prediction_id(given: Mapping[str, Any]) -> str:
    value = given.get("prediction_id")
    if not isinstance(value, str) or not value:
        raise InvalidRowError(
            "prediction_id must be a text" if value is not None else "prediction_id is missing",
            seen=value,
            remedy="Send it as the answer gave it.",
            field="prediction_id",
        )
    return value


def _rating(given: Mapping[str, Any]) -> int:
    value = given.get("rating")
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not whole or isinstance(value, bool) or value not in RATINGS:
        raise InvalidRowError(
            "rating must be a whole number from 1 to 5",
            seen=value,
            remedy="Send 1 (of no use) to 5 (very good).",
            field="rating",
        )
    return int(value)
