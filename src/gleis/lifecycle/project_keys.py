"""A project's keys in Python: what ``gleis keys`` does."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gleis.contracts.deployment import Version
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.build import sign_again
from gleis.packaging.keys import PublicKey


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key that a project knows."""

    name: str
    fingerprint: str
    """SHA-256 of the public half's PEM: what ``sha256sum`` says of its ``.pub`` file."""
    signs: bool
    """Whether it signs this project's packages."""
    trusted: bool
    """Whether packages signed by it are loaded."""


class ProjectKeys:
    """The key that signs a project's packages, and those that are trusted.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._ring = bench.keyring

    @property
    def path(self) -> Path:
        """Where the private key is, or will be."""
        return self._ring.path

    def new(self, *, rotate: bool = False) -> Key:
        """Make the key that signs; ``rotate`` retires the one there is and goes on trusting it.

        Raises
        ------
        BlockedError
            There is a key, and it is not to be rotated: a key is never overwritten.
        """
        return self._shown(self._ring.rotate() if rotate else self._ring.make())

    def list(self) -> list[Key]:
        """Return the key that signs, then the others that are trusted."""
        own = self._ring.public()
        found = {} if own is None else {own.fingerprint: own}
        found |= {key.fingerprint: key for key in self._ring.trusted()}
        return [self._shown(key) for key in found.values()]

    def trust(self, file: Path) -> Key:
        """Trust the public key in a file from now on."""
        return self._shown(self._ring.add(file))

    def sign(self, ref: str) -> tuple[Version, Key]:
        """Sign a registered version's package anew, after holding it against the registry.

        Raises
        ------
        PackageError
            It is not the package that was registered.
        RegistryError
            There is no such version.
        """
        version = self._bench.registry.get(ref)
        sign_again(self._bench.registry.path(version), version.digest, self._bench.signer)
        return version, self._shown(self._bench.signer.public)

    def _shown(self, key: PublicKey) -> Key:
        own = self._ring.public()
        return Key(
            name=key.name,
            fingerprint=key.fingerprint,
            signs=own is not None and own.fingerprint == key.fingerprint,
            trusted=self._ring.trust().find(key.fingerprint) is not None,
        )
