"""How things stand with a retraining that somebody asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import UnavailableError, UnknownIdError
from gleis.contracts.retraining import RetrainingRequest
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.registry.deployments import Deployments
from gleis.registry.releases import Releases
from gleis.registry.retrainings import Retrainings
from gleis.store.home import Home
from gleis.store.lock import PRESENCE

State = Literal["waiting", "running", "done", "failed"]


class Retraining(msgspec.Struct, frozen=True, kw_only=True):
    """A retraining that somebody asked for."""

    id: str
    state: State
    """``waiting`` for the loop's next look, ``running``, ``done`` whatever the verdict, or
    ``failed``: no version came of it."""
    reason: str
    by: str
    """A key's id or a token's subject; ``anybody`` where nobody has to say."""
    asked: datetime
    see: str
    """Path that says how things stand."""
    waits_for: str | None = None
    """What has to end first."""
    version: int | None = None
    passed: bool | None = None
    """Whether the gates let it through."""
    promoted: bool | None = None
    """Whether it became champion at once; False while it is tried beside the champion."""
    on_trial: bool = False
    """Whether it is tried beside the champion now."""
    verdict: tuple[str, ...] = ()
    """Why gates do not let it through; empty if they do."""
    error: str | None = None
    """Why no version came of it."""


class RetrainingDesk:
    """Takes requests for a retraining, for the loop that runs beside the service.

    Parameters
    ----------
    home : Home
    clock : Clock
    """

    def __init__(self, home: Home, clock: Clock) -> None:
        self._home = home
        self._requests = Retrainings(home, clock)
        self._releases = Releases(home, clock, Deployments(home, clock))

    def ask(self, reason: str, by: str, key: str | None) -> Retraining:
        """Write a request; see ``Retrainings.ask``.

        Raises
        ------
        UnavailableError
            No loop runs that could take it up.
        ConflictError
            Another one waits.
        InvalidRowError
            The key stands for another request.
        """
        if not self._home.lock(PRESENCE).held():
            raise UnavailableError(
                "No loop runs beside this service",
                remedy="Start one with gleis up, or train now with gleis run --refresh.",
            )
        return self._stand(self._requests.ask(reason, by, key))

    def find(self, request_id: str) -> Retraining:
        """Return how things stand with a request.

        Raises
        ------
        UnknownIdError
            Nobody asked for it.
        """
        request = self._requests.find(request_id)
        if request is None:
            raise UnknownIdError(
                "No retraining has this id",
                seen=request_id,
                remedy="Use the id that POST /retrain answered.",
                field="id",
            )
        return self._stand(request)

    def newest(self) -> Retraining | None:
        """Return how things stand with the newest request; None if there never was any."""
        known = self._requests.all()
        return self._stand(known[-1]) if known else None

    def _stand(self, request: RetrainingRequest) -> Retraining:
        asked = Retraining(
            id=request.id,
            state="waiting",
            reason=request.reason,
            by=request.by,
            asked=request.at,
            see=f"/retrain/{request.id}",
        )
        if not self._requests.taken(request):
            return msgspec.structs.replace(asked, waits_for=self._waits_for())
        trained = self._requests.trained(request)
        if trained is None:
            return msgspec.structs.replace(asked, state="running")
        if trained.version is None:
            return msgspec.structs.replace(asked, state="failed", error=trained.error)
        verdict = self._verdict(trained.run)
        release = self._releases.running()
        return msgspec.structs.replace(
            asked,
            state="done",
            version=trained.version,
            passed=verdict.passed if verdict is not None else None,
            promoted=trained.promoted,
            on_trial=release is not None and release.challenger.number == trained.version,
            verdict=_reasons(verdict),
        )

    def _waits_for(self) -> str:
        release = self._releases.running()
        if release is None:
            return "the loop's next look, or the retraining it carries out now"
        tried: Version = release.challenger
        return f"the release of version {tried.number}, which is tried beside the champion"

    def _verdict(self, run: str | None) -> Verdict | None:
        body = self._home.facts.latest("run", run) if run is not None else None
        return None if body is None else msgspec.json.decode(body, type=Run).verdict


def _reasons(verdict: Verdict | None) -> tuple[str, ...]:
    if verdict is None:
        return ()
    return tuple(f"{gate.gate}: {gate.reason}" for gate in verdict.gates if gate.status != "pass")
