"""``/retrain``: a person asks the loop for a retraining."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gleis.contracts.errors import MalformedError
from gleis.serving.given import read_object, read_text
from gleis.serving.routes import Reply, Request, Route, json_reply
from gleis.serving.statistics.records import Records

PATH = "/retrain"
LONGEST = 500
"""Characters of a reason."""
LONGEST_KEY = 200
"""Characters of an ``Idempotency-Key``."""
NOBODY = "anybody"
"""Who asks where nobody has to say."""
_SHAPE = 'Send {"reason": "new prices since Monday"}.'


def routes(records: Records) -> Sequence[Route]:
    """Return the routes over a service's records."""
    desk = records.retrainings

    async def ask(request: Request) -> Reply:
        key = _key(request)
        given = read_object(await request.body(), {"reason"}, _SHAPE)
        reason = read_text(given, "reason", LONGEST, needed=True) or ""
        by = request.caller or NOBODY
        asked = await asyncio.to_thread(desk.ask, reason, by, key)
        return json_reply(asked, 202)._replace(headers=((b"location", asked.see.encode()),))

    async def look(request: Request) -> Reply:
        return json_reply(await asyncio.to_thread(desk.find, request.params["id"]))

    return (
        Route(PATH, {"POST": ask}, "retrain"),
        Route(f"{PATH}/{{id}}", {"GET": look}, "retrain"),
    )


def _key(request: Request) -> str | None:
    """Return what makes a second request the same as the first; None if it is not sent."""
    given = request.header(b"idempotency-key")
    if given is None:
        return None
    key = given.decode("latin-1").strip()
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise MalformedError(
            "Idempotency-Key is no key",
            seen=key[:60],
            remedy=f"Send 1 to {LONGEST_KEY} printable ASCII characters of your own.",
            field="Idempotency-Key",
        )
    return key
