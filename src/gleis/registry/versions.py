"""Registered versions, and their mirror in MLflow's registry."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import msgspec

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import RegistryError
from gleis.registry.deployments import Deployments
from gleis.registry.releases import Releases
from gleis.store.home import Home
from gleis.store.objects.packages import find_package
from gleis.store.tracking import Tracking

KIND = "version"
"""Kind of the facts that record a version; their key is its number."""


class _Registered(Version, frozen=True, kw_only=True):
    """A version as the ledger keeps it."""

    mlflow_run: str | None = None


class Registry:
    """A project's versions.

    The ledger's facts decide, and are all that serving reads. MLflow's versions and aliases follow
    them; where a process was killed in between, the next registration or deployment catches up.

    Parameters
    ----------
    home : Home
        State folder.
    name : str
        Name of the registered model in MLflow: the project's.
    clock : Clock
    tracking : Tracking, optional
        Where the mirror is; without it there is none.
    """

    def __init__(
        self, home: Home, name: str, clock: Clock, tracking: Tracking | None = None
    ) -> None:
        self.name = name
        self._home = home
        self._clock = clock
        self._tracking = tracking

    @cached_property
    def deployments(self) -> Deployments:
        """What is live, and was."""
        return Deployments(self._home, self._clock, self.sync)

    @cached_property
    def releases(self) -> Releases:
        """Which challenger is tried beside the champion, and was."""
        return Releases(self._home, self._clock, self.deployments)

    def register(
        self,
        location: Path | str,
        digest: str,
        run: str,
        passed: bool,
        mlflow_run: str | None = None,
    ) -> Version:
        """Enter a package; entering it again (same digest, same run) returns the same version.

        Parameters
        ----------
        location : Path or str
            Folder of the package; one inside the state folder is kept relative to it.
        digest : str
            SHA-256 of the package.
        run : str
            Run that made it.
        passed : bool
            Whether its verdict let it through.
        mlflow_run : str, optional
            Run id in MLflow.

        Raises
        ------
        StoreError
            The ledger cannot be written: it is not registered. Or the mirror fails: it is, and the
            same call again mends the mirror.
        """
        version: Version | None = None
        while version is None:
            version = self._enter(location, digest, run, passed, mlflow_run)
        self.sync()
        return version

    def versions(self) -> list[Version]:
        """Return all versions, oldest first."""
        return list(self._home.facts.decoded(KIND, Version))

    def get(self, ref: str | int) -> Version:
        """Return the version named by a number (``3``, ``"3"``, ``"v3"``) or an alias.

        Raises
        ------
        RegistryError
            Naming what there is.
        """
        versions = {str(version.number): version for version in self.versions()}
        aliases = self.aliases()
        text = str(ref)
        found = aliases.get(text) or versions.get(text.removeprefix("v"))
        if found is None:
            there = [*aliases, *(f"v{number}" for number in versions)]
            raise RegistryError(
                "There is no such version",
                seen=ref,
                remedy=f"There are {', '.join(there)}." if there else "Register one: gleis run.",
            )
        return found

    def aliases(self) -> dict[str, Version]:
        """Return the version each alias points to now."""
        return {alias: found.version for alias, found in self.deployments.aliases().items()}

    def path(self, version: Version) -> Path:
        """Return the folder of a version's package; one in the store is fetched before.

        Raises
        ------
        PackageError, StoreError
            The store does not hold it, or fails.
        """
        return find_package(self._home, version.location, version.digest)

    def sync(self) -> None:
        """Make MLflow's versions and aliases follow the ledger.

        A version is known there by its tags, since somebody else may use the same server and name:
        then numbers can differ, and the tag ``gleis.version`` holds ours.

        Raises
        ------
        StoreError
            MLflow fails.
        """
        if self._tracking is None:
            return
        entered = self._home.facts.decoded(KIND, _Registered)
        there = {
            (tags.get("gleis.digest"), tags.get("gleis.run")): number
            for number, tags in self._tracking.version_tags(self.name).items()
        }
        numbers: dict[int, int] = {}
        for version in entered:
            number = there.get((version.digest, version.run))
            numbers[version.number] = number or self._mirror(self._tracking, version)
        pointed = self._tracking.aliases(self.name)
        for alias, target in self.aliases().items():
            if pointed.get(alias) != numbers[target.number]:
                self._tracking.set_alias(self.name, alias, numbers[target.number])

    def _enter(
        self, location: Path | str, digest: str, run: str, passed: bool, mlflow_run: str | None
    ) -> Version | None:
        """Find the version or claim the next number; None if another process took it."""
        # In this order: a number that MLflow has from us is then in our ledger too.
        taken = set(self._tracking.version_tags(self.name)) if self._tracking else set()
        for version in self.versions():
            if (version.digest, version.run) == (digest, run):
                return version
            taken.add(version.number)
        entry = _Registered(
            number=max(taken, default=0) + 1,
            digest=digest,
            location=self._relative(Path(location)),
            run=run,
            registered_at=self._clock.now(),
            passed=passed,
            mlflow_run=mlflow_run,
        )
        body, key = msgspec.json.encode(entry), str(entry.number)
        if self._home.facts.append_once(KIND, key, body, entry.registered_at):
            return msgspec.json.decode(body, type=Version)
        return None

    def _relative(self, location: Path) -> str:
        absolute = (self._home.folder / location).absolute()
        inside = absolute.is_relative_to(self._home.folder)
        return str(absolute.relative_to(self._home.folder) if inside else absolute)

    def _mirror(self, tracking: Tracking, version: _Registered) -> int:
        tags = {
            "gleis.version": str(version.number),
            "gleis.digest": version.digest,
            "gleis.run": version.run,
            "gleis.passed": str(version.passed).lower(),
        }
        return tracking.create_version(self.name, self.path(version), version.mlflow_run, tags)
