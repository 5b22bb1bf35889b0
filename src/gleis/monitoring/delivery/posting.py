"""One HTTPS POST to an address of the settings: bounded, verified, and to nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from gleis.config.alarms import NEAR
from gleis.contracts.clock import utc
from gleis.contracts.version import VERSION
from gleis.monitoring.delivery.receiver import Answer, tidy

LARGEST = 64_000
"""Bytes of a message; more is a fault of gleis."""
_TIMEOUT = 10.0
"""Seconds for the connection, and for each piece of the answer."""
_READ = 2_000
"""Bytes of the answer that are looked at."""
_AGAIN = {408, 425, 429}
"""Client errors that pass: too slow, too early, too many."""
_LONGEST_REST = 86_400.0


class _NoRedirect(HTTPRedirectHandler):
    """Alarms go where the settings say, or nowhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
    secrets: tuple[str, ...],
    timeout: float = _TIMEOUT,
) -> Answer:
    """Post JSON and say what came of it; certificates are verified, redirects not followed.

    Parameters
    ----------
    address : str
        https, or http on this machine.
    body : bytes
        JSON.
    headers : mapping of str to str
        Beside those of every message.
    now : datetime
        Against which a date in ``Retry-After`` is held, if the answer has none of its own.
    secrets : tuple of str
        Kept out of what is said.
    timeout : float
        Seconds.
    """
    if len(body) > LARGEST:
        return Answer(outcome="refused", said=f"the message has {len(body)} bytes, over {LARGEST}")
    own = {"Content-Type": "application/json", "User-Agent": f"gleis/{VERSION}"}
    request = Request(address, data=body, headers={**own, **headers}, method="POST")  # noqa: S310
    try:
        with _opener(address).open(request, timeout=timeout) as answer:
            # The status is the receiver's word; how its answer ends does not matter.
            return Answer(outcome="delivered", said=f"HTTP {answer.status}")
    except HTTPError as error:
        with error:
            return _refused(error, now, secrets)
    except (OSError, HTTPException) as error:
        return Answer(outcome="failed", said=tidy(_reason(error), secrets))


def _opener(address: str) -> OpenerDirector:
    near = urlsplit(address).hostname in NEAR
    # A proxy of the environment is used, but never for this machine.
    return build_opener(_NoRedirect, ProxyHandler({}) if near else ProxyHandler())


def _refused(error: HTTPError, now: datetime, secrets: tuple[str, ...]) -> Answer:
    code = error.code
    said = f"HTTP {code}"
    if 300 <= code < 400:
        said += ": it answers with a redirect, which is not followed; write the final address"
    elif text := _text(error):
        said += f": {text}"
    final = 400 <= code < 500 and code not in _AGAIN
    return Answer(
        outcome="refused" if final else "failed",
        said=tidy(said, secrets),
        retry_after=None if final else read_retry_after(error.headers, now),
    )


def _text(error: HTTPError) -> str:
    try:
        return error.read(_READ).decode("utf-8", "replace")
    except (OSError, HTTPException):
        return ""


def _reason(error: Exception) -> str:
    """Say why nothing was answered, without the address."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, Exception) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return f"{type(cause).__name__}: {cause}"


def read_retry_after(headers: Message[str, str], now: datetime) -> float | None:
    """Read how long the receiver wants to be left alone; a day at most.

    Returns
    -------
    float or None
        Seconds; None if it says nothing, or nothing that can be read.

    References
    ----------
    RFC 9110, section 10.2.3.
    """
    text = headers.get("Retry-After")
    if text is None:
        return None
    if text.strip().isdigit():
        return min(float(text), _LONGEST_REST)
    try:
        until = utc(parsedate_to_datetime(text))
        said = headers.get("Date")
        seconds = (until - (utc(parsedate_to_datetime(said)) if said else now)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_REST)
