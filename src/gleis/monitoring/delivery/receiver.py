"""What a receiver is: somebody who is told of alarms, and answers."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from gleis.contracts.notice import Notice, ReceiverKind

_LONGEST = 200
"""Characters that are kept of what a receiver answered."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt."""

    outcome: Literal["delivered", "failed", "refused"]
    """``failed`` is worth another attempt, ``refused`` is not."""
    said: str = ""
    """For people: ``HTTP 503: busy``."""
    retry_after: float | None = None
    """Seconds the receiver asked to be left alone."""


class Receiver(Protocol):
    """Somebody who is told."""

    @property
    def name(self) -> str:
        """Its name in the ledger and for people; it never holds a secret."""
        ...

    @property
    def kind(self) -> ReceiverKind:
        """How it is told."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen by anybody, wherever it may turn up."""
        ...

    def send(self, notice: Notice, now: datetime) -> Answer:
        """Send a notice once; what goes wrong on the way is an answer too, not an exception."""
        ...


def delivery_key(notice: Notice, receiver: str) -> str:
    """Return what is the same for every attempt to tell one receiver one thing.

    A receiver that gets it twice was told twice: a process died, or an answer was lost.
    """
    return hashlib.sha256(f"{notice.id}\n{receiver}".encode()).hexdigest()[:32]


def tidy(said: str, secrets: tuple[str, ...]) -> str:
    r"""Make what a receiver said fit to be shown: one line, short, no control codes, no secret.

    Examples
    --------
    >>> tidy("no\x1b[2J  such\nhook: abc123", ("abc123",))
    'no[2J such hook: ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, "***")
    words = " ".join("".join(c for c in word if c.isprintable()) for word in said.split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
