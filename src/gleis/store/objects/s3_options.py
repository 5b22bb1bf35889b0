"""How deltalake and polars are told to speak to S3; obstore is told in ``store/objects/s3.py``.

Credentials are not among the options: every client takes them from the environment itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from gleis.store.objects.patience import Patience
from gleis.store.objects.s3_failures import endpoint

CONNECT = 5
"""Seconds until a connection stands."""
ANSWER = 60
"""Seconds until an answer begins, or goes on."""


def is_s3(location: str) -> bool:
    """Say whether a location is on S3."""
    return location.startswith("s3://")


def plain_http() -> bool:
    """Say whether the environment names an endpoint without TLS; else only https is spoken."""
    return endpoint().startswith("http://")


def delta_options(location: str, patience: Patience) -> dict[str, str] | None:
    """Return deltalake's options for a table; None if it is in a folder.

    A commit is a conditional put (``If-None-Match``): of two writers one fails, and knows it.
    """
    if not is_s3(location):
        return None
    return {
        "allow_http": str(plain_http()).lower(),
        "conditional_put": "etag",
        "connect_timeout": f"{CONNECT}s",
        "timeout": f"{ANSWER}s",
        "max_retries": str(_attempts(patience)),
        "retry_timeout": f"{round(patience.seconds * 1000)}ms",
        "backoff_config.init_backoff": f"{round(patience.first * 1000)}ms",
        "backoff_config.max_backoff": f"{round(patience.longest * 1000)}ms",
    }


def polars_options(options: Mapping[str, str] | None) -> dict[str, int] | None:
    """Return what polars wants otherwise than deltalake, which wants every value as text."""
    if not options or "max_retries" not in options:
        return None
    return {
        "max_retries": int(options["max_retries"]),
        "retry_timeout_ms": _milliseconds(options["retry_timeout"]),
        "retry_init_backoff_ms": _milliseconds(options["backoff_config.init_backoff"]),
        "retry_max_backoff_ms": _milliseconds(options["backoff_config.max_backoff"]),
    }


def _milliseconds(text: str) -> int:
    return int(text.removesuffix("ms"))


def _attempts(patience: Patience) -> int:
    """Return more attempts than fit into the time: the time decides."""
    return 10 + int(10 * patience.seconds / max(patience.longest, 0.1))
