"""``/data-distribution``, ``/model-statistics``, ``/application-metrics``: what is known, as JSON.

The same for people is on the pages of ``gleis up``, at the same paths.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gleis.contracts.errors import MalformedError
from gleis.serving.plane import Plane
from gleis.serving.routes import Reply, Request, Route, json_reply, query_of
from gleis.serving.statistics.records import Records

DATA, MODEL, APPLICATION = "/data-distribution", "/model-statistics", "/application-metrics"
_VARY = ((b"vary", b"accept"), (b"cache-control", b"no-store"))


def routes(plane: Plane, records: Records) -> Sequence[Route]:
    """Return the routes over a data plane and its records."""

    def told(find: Callable[[Plane], Any]) -> Callable[[Request], Any]:
        async def tell(request: Request) -> Reply:
            _check_format(query_of(request).get("format"))
            found = await asyncio.to_thread(find, plane)
            return json_reply(found)._replace(headers=_VARY)

        return tell

    return (
        Route(DATA, {"GET": told(records.data_distribution)}, "observe"),
        Route(MODEL, {"GET": told(records.model_statistics)}, "observe"),
        Route(APPLICATION, {"GET": told(records.application_metrics)}, "observe"),
    )


def wants_page(accept: str, wanted: str | None) -> bool:
    """Say whether a request asks for a page: by ``?format=``, else by its header ``Accept``.

    A browser names ``text/html``; whoever takes anything gets JSON.

    Examples
    --------
    >>> wants_page("text/html,application/xhtml+xml,*/*;q=0.8", None)
    True
    >>> wants_page("*/*", None), wants_page("text/html", "json")
    (False, False)
    """
    if wanted is not None:
        return wanted == "html"
    return _quality(accept, "text/html") > _quality(accept, "application/json")


def _quality(accept: str, kind: str) -> float:
    """Return how much a kind that is named is wanted, 0 to 1; 0 if it is not named."""
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == kind:
            weights = [p.removeprefix("q=") for p in parameters if p.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0


def _check_format(wanted: str | None) -> None:
    if wanted is None or wanted == "json":
        return
    remedy = (
        "Pages are served by gleis up; gleis serve and images answer JSON."
        if wanted == "html"
        else "Ask for format=json, or format=html of gleis up."
    )
    raise MalformedError("There is no such format here", seen=wanted, remedy=remedy, field="format")
