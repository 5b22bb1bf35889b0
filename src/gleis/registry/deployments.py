"""What was live when: an append-only history, and what it says now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from gleis.contracts.clock import Clock, utc
from gleis.contracts.deployment import CHAMPION, PREVIOUS, Deployment, Version
from gleis.contracts.errors import BlockedError, RegistryError
from gleis.store.home import Home

KIND = "deployment"
"""Kind of the facts that record a deployment; their key is ``alias/cause``."""


class Deployments:
    """Aliases and their history.

    A deployment is one fact, so a process killed at any moment has deployed or has not. The alias
    ``previous`` is never set: it is the version that the last change of champion took away.

    Parameters
    ----------
    home : Home
        State folder; its ledger holds the facts of kind ``deployment``.
    clock : Clock
    then : callable, optional
        Called after every deployment that was asked for, new or not: the registry's mirror.
    """

    def __init__(self, home: Home, clock: Clock, then: Callable[[], None] = lambda: None) -> None:
        self._home = home
        self._clock = clock
        self._then = then
        self._pointed: tuple[Sequence[Deployment], dict[str, Deployment]] = ((), {})
        """The history as it was last seen, and what its aliases point to."""

    def deploy(
        self,
        alias: str,
        version: Version,
        reason: str,
        by: str,
        cause: str,
        *,
        override: str | None = None,
    ) -> bool:
        """Set an alias to a version, once per cause.

        Parameters
        ----------
        alias : str
            ``champion``, ``baseline``, or a name of your own.
        version : Version
            A registered one.
        reason : str
            A sentence for the history.
        by : str
            ``user@host`` or ``loop``.
        cause : str
            Idempotency key: a second call with it changes nothing.
        override : str, optional
            Why a version that its verdict blocked goes live nevertheless; kept in the history.

        Returns
        -------
        bool
            False if this cause had set this alias before.

        Raises
        ------
        BlockedError
            The version did not pass, would become champion, and there is no ``override``.
        RegistryError
            The version is not registered, or the alias cannot be set.
        StoreError
            The ledger cannot be written: nothing has changed. Or the mirror fails: the deployment
            holds, and the same call again mends the mirror.
        """
        self._check(alias, version)
        if alias == CHAMPION and not version.passed:
            if not override:
                raise BlockedError(
                    f"Version {version.number} did not pass its gates",
                    seen=f"v{version.number} of run {version.run}",
                    remedy="See why with gleis show, or override by name and with a reason.",
                )
            reason = f"{reason} (gates overridden: {override})"
        deployment = Deployment(
            alias=alias,
            version=version,
            at=self._clock.now(),
            reason=reason,
            by=by,
            cause=cause,
        )
        new = self._append(deployment)
        self._then()
        return new

    def promote(
        self, version: Version, reason: str, by: str, cause: str, *, override: str | None = None
    ) -> bool:
        """Make a version champion, and the former champion ``previous``; else as ``deploy``."""
        return self.deploy(CHAMPION, version, reason, by, cause, override=override)

    def rollback(self, reason: str, by: str, cause: str) -> Deployment:
        """Make ``previous`` champion again, once per cause; return what this cause deployed.

        Raises
        ------
        RegistryError
            There is no previous champion.
        StoreError
            As for ``deploy``.
        """
        previous = self.aliases().get(PREVIOUS)
        if previous is None:
            raise RegistryError(
                "There is no previous champion to roll back to",
                remedy="Promote a version by its number: gleis promote v1.",
            )
        deployment = Deployment(
            alias=CHAMPION,
            version=previous.version,
            at=self._clock.now(),
            reason=reason,
            by=by,
            cause=cause,
        )
        self._append(deployment)
        self._then()
        return next(d for d in self.history(CHAMPION) if d.cause == cause)

    def history(self, alias: str | None = None) -> list[Deployment]:
        """Return deployments, oldest first: all that were made, or those of one alias."""
        made = self._all()
        if alias is None:
            return list(made)
        return [deployment for deployment in _with_previous(made) if deployment.alias == alias]

    def aliases(self) -> dict[str, Deployment]:
        """Return what each alias points to now."""
        made = self._all()
        if made is not self._pointed[0]:
            self._pointed = made, {one.alias: one for one in _with_previous(made)}
        return dict(self._pointed[1])

    def champion(self) -> Deployment | None:
        """Return what ``champion`` points to; None before the first promotion."""
        return self.aliases().get(CHAMPION)

    def live_at(self, moment: datetime, alias: str = CHAMPION) -> Deployment | None:
        """Return what an alias pointed to at ``moment``; None if nothing yet.

        Examples
        --------
        >>> import tempfile
        >>> from datetime import UTC
        >>> from pathlib import Path
        >>> from gleis.contracts.clock import SimulatedClock
        >>> home = Home(Path(tempfile.mkdtemp()))
        >>> deployments = Deployments(home, SimulatedClock(datetime(2013, 4, 1, tzinfo=UTC)))
        >>> deployments.live_at(datetime(2013, 7, 4, 12, tzinfo=UTC)) is None
        True
        """
        before = [deployment for deployment in self.history(alias) if deployment.at <= utc(moment)]
        # The latest moment counts; of two at the same moment, the later entry.
        return max(reversed(before), key=lambda deployment: deployment.at, default=None)

    def revision(self) -> int:
        """Return a number that changes with every deployment; one indexed query."""
        return self._home.facts.last(KIND)

    def _all(self) -> Sequence[Deployment]:
        """Return the history; nothing new, and it is the same sequence."""
        return self._home.facts.decoded(KIND, Deployment)

    def _append(self, deployment: Deployment) -> bool:
        key = f"{deployment.alias}/{deployment.cause}"
        body = msgspec.json.encode(deployment)
        return self._home.facts.append_once(KIND, key, body, deployment.at)

    def _check(self, alias: str, version: Version) -> None:
        if alias == PREVIOUS or not alias or alias.lstrip("v").isdigit():
            raise RegistryError(
                "This alias cannot be set",
                seen=alias,
                remedy="previous follows from champion, and numbers are versions: take a name.",
                field="alias",
            )
        body = self._home.facts.latest("version", str(version.number))
        if body is None or msgspec.json.decode(body, type=Version).digest != version.digest:
            raise RegistryError(
                "This version is not registered here",
                seen=f"v{version.number} {version.digest[:12]}",
                remedy="Register its package first.",
            )


def _with_previous(deployments: Iterable[Deployment]) -> Iterable[Deployment]:
    """Add what each change of champion made of ``previous``."""
    champion: Deployment | None = None
    for deployment in deployments:
        if deployment.alias == CHAMPION:
            if champion and champion.version.number != deployment.version.number:
                yield msgspec.structs.replace(deployment, alias=PREVIOUS, version=champion.version)
            champion = deployment
        yield deployment
