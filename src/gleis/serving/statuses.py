"""Errors as HTTP statuses, mapped here and nowhere else."""

from __future__ import annotations

from math import ceil
from typing import Any

from gleis.contracts.errors import (
    BusyError,
    CannotExplainError,
    ConflictError,
    ForbiddenError,
    GleisError,
    InvalidRowError,
    MalformedError,
    RequestError,
    StoreError,
    TooLargeError,
    TooManyError,
    UnavailableError,
    UnknownCallerError,
    UnknownIdError,
    UnknownModelError,
)

_STATUSES: tuple[tuple[type[GleisError], int], ...] = (
    (MalformedError, 400),
    (UnknownCallerError, 401),
    (ForbiddenError, 403),
    (UnknownModelError, 404),
    (UnknownIdError, 404),
    (ConflictError, 409),
    (TooLargeError, 413),
    (TooManyError, 429),
    (InvalidRowError, 422),
    (CannotExplainError, 422),
    (RequestError, 400),
    (UnavailableError, 503),
    (StoreError, 503),
    (GleisError, 500),
)


def status_of(error: GleisError) -> int:
    """Return the HTTP status of an error.

    Examples
    --------
    >>> status_of(TooLargeError("too much"))
    413
    """
    return next(status for kind, status in _STATUSES if isinstance(error, kind))


def headers_of(error: GleisError) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that the answer to an error must have.

    Examples
    --------
    >>> headers_of(TooManyError("too many", retry_after=0.2))
    ((b'retry-after', b'1'),)
    """
    if isinstance(error, UnknownCallerError):
        return ((b"www-authenticate", b'Bearer realm="gleis"'),)
    if isinstance(error, TooManyError | BusyError):
        return ((b"retry-after", b"%d" % max(1, ceil(error.retry_after))),)
    return ()


def body_of(error: GleisError) -> dict[str, Any]:
    """Return an error as an answer: what failed, what was seen, where, and what to do next.

    Examples
    --------
    >>> body_of(MalformedError("The body is empty", remedy="Send JSON."))
    {'error': {'what': 'The body is empty', 'seen': None, 'field': None, 'remedy': 'Send JSON.'}}
    """
    return {
        "error": {
            "what": error.what,
            "seen": error.seen,
            "field": error.field,
            "remedy": error.remedy,
        }
    }
