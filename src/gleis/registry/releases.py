"""Which challenger is tried beside the champion: an append-only history, and what it says now."""

from __future__ import annotations

import msgspec

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.errors import BlockedError, RegistryError
from gleis.contracts.release import Ended, Moved, Outcome, Release, ReleaseFact, Rules, Trial
from gleis.registry import deployments as deployment_facts
from gleis.registry.deployments import Deployments
from gleis.store.home import Home

KIND = "release"
"""Kind of the facts that start, move and end releases; their key is ``event/cause``."""

_decoder = msgspec.json.Decoder(ReleaseFact)
_EDGE = 1e-9


class Releases:
    """Releases and their history.

    One release runs at a time: a new one replaces the one before. A release is about the champion
    it was started beside; as soon as champion is deployed anew, by whatever hand, it is over, with
    or without a fact that says so. So one fact, the deployment, is enough for a rollback.

    Parameters
    ----------
    home : Home
        State folder; its ledger holds the facts of kind ``release``.
    clock : Clock
    deployments : Deployments
        Says who is champion.
    """

    def __init__(self, home: Home, clock: Clock, deployments: Deployments) -> None:
        self._home = home
        self._clock = clock
        self._deployments = deployments
        self._known: tuple[int, list[ReleaseFact]] = (0, [])

    def start(
        self,
        strategy: Trial,
        challenger: Version,
        share: float,
        rules: Rules,
        reason: str,
        by: str,
        cause: str,
        *,
        least: float | None = None,
        override: str | None = None,
    ) -> Release:
        """Try a version beside the champion, once per cause.

        Parameters
        ----------
        strategy : str
        challenger : Version
            A registered one.
        share : float
            Probability with which a row is given to it.
        rules : Rules
        reason : str
            A sentence for the history.
        by : str
            ``user@host`` or ``loop``.
        cause : str
            Idempotency key: a second call with it changes nothing.
        least : float, optional
            The smallest propensity of either version that later shares may bring; by default that
            of ``share``.
        override : str, optional
            Why a version that its verdict blocked answers nevertheless.

        Returns
        -------
        Release
            The one this cause started.

        Raises
        ------
        RegistryError
            There is no champion, the version is champion already, or the share is impossible.
        BlockedError
            The version did not pass, would answer, and there is no ``override``.
        StoreError
            The ledger cannot be written: nothing has changed.
        """
        known = [one for one in self._all() if isinstance(one, Release) and one.id == cause]
        if known:
            return known[0]
        champion = self._champion_beside(challenger)
        release = Release(
            id=cause,
            strategy=strategy,
            champion=champion.version,
            beside=champion.cause,
            challenger=challenger,
            share=share,
            least=min(share, 1.0 - share) if least is None else least,
            rules=rules,
            at=self._clock.now(),
            reason=reason,
            by=by,
            override=override,
        )
        _check(release)
        self._append("started", cause, release)
        return next(one for one in self._all() if isinstance(one, Release) and one.id == cause)

    def move(self, release: Release, share: float, reason: str, by: str, cause: str) -> bool:
        """Change the share of a running release, once per cause; return whether it is new.

        Rows keep their place on the scale from 0 to 1: who was with the challenger stays there
        when its share grows.

        Raises
        ------
        RegistryError
            The share leaves less than ``release.least`` to one of the two: what was measured so
            far allows for no less.
        StoreError
            The ledger cannot be written: nothing has changed.
        """
        if not release.least - _EDGE <= share <= 1.0 - release.least + _EDGE:
            raise RegistryError(
                "This share is beyond what the running release allows for",
                seen=share,
                remedy=f"Stay between {release.least:g} and {1 - release.least:g}, or start a new "
                "release with gleis deploy.",
                field="share",
            )
        moved = Moved(
            release=release.id, share=share, at=self._clock.now(), reason=reason, by=by, cause=cause
        )
        return self._append("moved", f"{release.id}/{cause}", moved)

    def end(self, release: Release, outcome: Outcome, reason: str, by: str) -> bool:
        """End a release, once; return False if it had been ended before.

        Raises
        ------
        StoreError
            The ledger cannot be written: nothing has changed.
        """
        ended = Ended(
            release=release.id, outcome=outcome, at=self._clock.now(), reason=reason, by=by
        )
        return self._append("ended", release.id, ended)

    def running(self) -> Release | None:
        """Return the release that runs, with its present share; None if the champion is alone."""
        release = self.open()
        if release is None:
            return None
        champion = self._deployments.champion()
        return release if champion is not None and champion.cause == release.beside else None

    def open(self) -> Release | None:
        """Return the newest release that no fact has ended, though its champion may have gone."""
        release: Release | None = None
        for fact in self._all():
            if isinstance(fact, Release):
                release = fact
            elif release is not None and fact.release == release.id:
                if isinstance(fact, Ended):
                    release = None
                else:
                    release = msgspec.structs.replace(release, share=fact.share)
        return release

    def history(self) -> list[ReleaseFact]:
        """Return everything that happened, oldest first."""
        return list(self._all())

    def revision(self) -> int:
        """Return a number that changes with every release and deployment; one indexed query."""
        return self._home.facts.last(KIND, deployment_facts.KIND)

    def _champion_beside(self, challenger: Version) -> Deployment:
        champion = self._deployments.champion()
        if champion is None:
            raise RegistryError(
                "There is no champion to try a version beside",
                remedy="Promote a version first: gleis promote v1.",
            )
        if champion.version.number == challenger.number:
            raise RegistryError(
                "This version is champion already",
                seen=f"v{challenger.number}",
                remedy="Name another version; gleis runs shows them.",
            )
        return champion

    def _all(self) -> list[ReleaseFact]:
        """Read the history, again only if there is a newer fact."""
        newest = self._home.facts.last(KIND)
        if newest != self._known[0]:
            facts = [_decoder.decode(body) for body in self._home.facts.all(KIND)]
            self._known = (newest, facts)
        return self._known[1]

    def _append(self, event: str, cause: str, fact: ReleaseFact) -> bool:
        key = f"{event}/{cause}"
        return self._home.facts.append_once(KIND, key, msgspec.json.encode(fact), fact.at)


def _check(release: Release) -> None:
    challenger = release.challenger
    if release.answers and not challenger.passed and not release.override:
        raise BlockedError(
            f"Version {challenger.number} did not pass its gates",
            seen=f"v{challenger.number} of run {challenger.run}",
            remedy="Let it look on: --shadow. Or override by name and with a reason.",
        )
    if not release.answers:
        return
    if not 0.0 < release.share < 1.0 or not 0.0 < release.least <= 0.5:
        raise RegistryError(
            "The challenger's share is not between 0 and 1",
            seen=release.share,
            remedy="Write a share such as 5% or 0.05; to give it everything: gleis promote.",
            field="share",
        )
    low, high = release.least - _EDGE, 1.0 - release.least + _EDGE
    if not low <= release.share <= high:
        raise RegistryError(
            "The challenger's share is beyond the least share of a version",
            seen=release.share,
            remedy=f"Stay between {release.least:g} and {1 - release.least:g}.",
            field="share",
        )
