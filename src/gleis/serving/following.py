"""What the ledger wants to answer, and what this process has to say to it."""

from __future__ import annotations

import logging
from typing import NamedTuple

from gleis.contracts.deployment import PREVIOUS, Version
from gleis.contracts.release import Release
from gleis.registry.versions import Registry

_log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """What the ledger says."""

    champion: Version | None = None
    release: Release | None = None
    """The one that runs, unless this process has taken it out."""
    previous: Version | None = None

    @property
    def challenger(self) -> Version | None:
        """The version that has to be loaded beside the champion; a shadow is loaded elsewhere."""
        answers = self.release is not None and self.release.answers
        return self.release.challenger if self.release is not None and answers else None


class Following:
    """Follows champion and release with one cheap query a look.

    Parameters
    ----------
    registry : Registry
    """

    def __init__(self, registry: Registry) -> None:
        self.wanted = Wanted()
        self._deployments = registry.deployments
        self._releases = registry.releases
        self._revision: int | None = None
        self._condemned: set[str] = set()
        self._unsaid: list[tuple[Release, str]] = []

    def look(self) -> bool:
        """Look once; return True if there is news.

        Raises
        ------
        StoreError
            The ledger cannot be read. The next look looks at everything again.
        """
        seen, self._revision = self._revision, None
        revision = self._releases.revision()
        news = revision != seen
        if news:
            champion = self._deployments.champion()
            previous = self._deployments.aliases().get(PREVIOUS)
            release = self._releases.running()
            self.wanted = Wanted(
                champion.version if champion else None,
                release if release and release.id not in self._condemned else None,
                previous.version if previous else None,
            )
        self._revision = revision
        return news

    def condemn(self, release: Release, reason: str) -> None:
        """Take a challenger out here at once; ``say`` makes it known everywhere."""
        if release.id in self._condemned:
            return
        _log.error("version %d is rolled back: %s", release.challenger.number, reason)
        self._condemned.add(release.id)
        self._unsaid.append((release, reason))
        self.wanted = self.wanted._replace(release=None)

    def say(self) -> None:
        """Write into the ledger what this process decided; what fails is said again.

        Raises
        ------
        StoreError
            The ledger cannot be written.
        """
        while self._unsaid:
            release, reason = self._unsaid[0]
            self._releases.end(release, "rolled back", reason, "serving")
            self._unsaid.pop(0)
