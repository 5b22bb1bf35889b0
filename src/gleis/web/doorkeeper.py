"""Asks a browser for a key, before it sees a page."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import MutableMapping
from typing import Any

from starlette.responses import PlainTextResponse, Response

from gleis.contracts.errors import GleisError
from gleis.serving.http import Access
from gleis.serving.routes import Request, Route
from gleis.serving.statuses import headers_of, status_of

Scope = MutableMapping[str, Any]

_PAGES = Route("the pages", {}, "observe")
_ASK = 'Basic realm="gleis: any name, and an API key as the password"'


async def refusal(access: Access | None, scope: Scope) -> Response | None:
    """Return what is answered instead of a page; None if the caller may see it.

    Browsers know no bearer tokens, so here a key may be the password of basic authentication. Only
    here: a browser sends a password along with what other sites' pages ask, and pages change
    nothing, whereas a prediction is logged and a label teaches.

    Parameters
    ----------
    access : Access, optional
        None lets everybody in.
    scope : mapping
        The ASGI scope.
    """
    if access is None:
        return None
    try:
        access.admit(Request(with_bearer(scope), _nothing, {}, 0), _PAGES)
    except GleisError as error:
        headers = {name.decode(): value.decode() for name, value in headers_of(error)}
        if "www-authenticate" in headers:
            headers["www-authenticate"] = _ASK
        return PlainTextResponse(str(error), status_of(error), headers)
    return None


def with_bearer(scope: Scope) -> Scope:
    """Return the scope with the password of basic authentication as a bearer's key."""
    headers = []
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:6].lower() == b"basic ":
            try:
                password = b64decode(value[6:], validate=True).partition(b":")[2]
            except binascii.Error:
                continue
            headers.append((name, b"Bearer " + password))
        else:
            headers.append((name, value))
    return {**scope, "headers": headers}


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}
