"""Retrainings that people asked a running loop for: facts of the ledger."""

from __future__ import annotations

import msgspec

from gleis.contracts.clock import Clock
from gleis.contracts.errors import ConflictError, InvalidRowError
from gleis.contracts.retraining import RetrainingRequest, Trained
from gleis.store.home import Home

KIND = "retraining"
"""Kind of the facts that hold a request; their key is its number."""


class Retrainings:
    """A project's requests for a retraining; at most one waits at a time.

    Serving writes them, the loop takes them up: its decision has the request's id, and from then
    on the request does not wait any more.

    Parameters
    ----------
    home : Home
        State folder; its ledger holds the facts of kind ``retraining``.
    clock : Clock

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gleis.contracts.clock import SystemClock
    >>> retrainings = Retrainings(Home(Path(tempfile.mkdtemp())), SystemClock())
    >>> asked = retrainings.ask("new prices since Monday", "anybody")
    >>> retrainings.waiting() == asked
    True
    """

    def __init__(self, home: Home, clock: Clock) -> None:
        self._facts = home.facts
        self._clock = clock

    def ask(self, reason: str, by: str, key: str | None = None) -> RetrainingRequest:
        """Write a request; it is on disk when this returns.

        Parameters
        ----------
        reason : str
        by : str
            Who asks.
        key : str, optional
            A second call of the same caller with it returns the first one's request.

        Raises
        ------
        ConflictError
            Another one waits.
        InvalidRowError
            The key stands for a request with another reason.
        StoreError
            The ledger cannot be written; nothing was asked.
        """
        while True:
            known = self.all()
            if key is not None and (former := _former(known, by, key)) is not None:
                return _same(former, reason)
            if (waiting := self.waiting()) is not None:
                raise ConflictError(
                    "A retraining waits already",
                    seen=waiting.id,
                    remedy=f"See what becomes of it: GET /retrain/{waiting.id}.",
                    field="id",
                )
            now, number = self._clock.now(), len(known) + 1
            request = RetrainingRequest(
                id=f"{now:%Y%m%dT%H%M%S}-asked-{number}",
                number=number,
                at=now,
                reason=reason,
                by=by,
                key=key,
            )
            # Of two processes at the same number one is first; the other looks again.
            if self._facts.append_once(KIND, str(number), msgspec.json.encode(request), now):
                return request

    def all(self) -> list[RetrainingRequest]:
        """Return every request there ever was, oldest first."""
        return list(self._facts.decoded(KIND, RetrainingRequest))

    def find(self, request_id: str) -> RetrainingRequest | None:
        """Return a request by its id; None if there is none."""
        return next((one for one in self.all() if one.id == request_id), None)

    def waiting(self) -> RetrainingRequest | None:
        """Return the request that the loop has not taken up yet."""
        if not self._facts.last(KIND):
            return None
        newest = self.all()[-1]
        return None if self.taken(newest) else newest

    def taken(self, request: RetrainingRequest) -> bool:
        """Say whether the loop has taken a request up."""
        return self._facts.latest("decision", request.id) is not None

    def trained(self, request: RetrainingRequest) -> Trained | None:
        """Return what came of a request; None if it is not done."""
        body = self._facts.latest("trained", request.id)
        return None if body is None else msgspec.json.decode(body, type=Trained)


def _former(known: list[RetrainingRequest], by: str, key: str) -> RetrainingRequest | None:
    return next((one for one in known if (one.by, one.key) == (by, key)), None)


def _same(former: RetrainingRequest, reason: str) -> RetrainingRequest:
    if former.reason != reason:
        raise InvalidRowError(
            "This Idempotency-Key stands for another request",
            seen=former.id,
            remedy="Send a key of its own with every new request.",
            field="Idempotency-Key",
        )
    return former
