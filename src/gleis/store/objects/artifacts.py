"""Bytes by the hash of their content, in a bucket or another folder."""

from __future__ import annotations

import hashlib

from gleis.contracts.errors import StoreError
from gleis.store.artifacts import LocalArtifacts, place_of
from gleis.store.objects.claim import Claim, unclaimed
from gleis.store.objects.objects import Objects

FOLDER = "artifacts"
"""Where a store keeps them: ``artifacts/ab/cdef...``, as a state folder does."""


class ObjectArtifacts:
    """Content-addressed objects, with a copy of what was used here.

    Parameters
    ----------
    objects : Objects
        The store.
    kept : LocalArtifacts
        Copies in the state folder: content never changes, so they never grow old. They may be
        deleted at any time.
    claim : callable, optional
        Asked before something is put, and again before something is deleted: it refuses a store
        that is another ledger's.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gleis.store.objects.objects import FolderObjects
    >>> store = FolderObjects(Path(tempfile.mkdtemp()))
    >>> artifacts = ObjectArtifacts(store, LocalArtifacts(Path(tempfile.mkdtemp())))
    >>> artifacts.get(artifacts.put(b"weights"))
    b'weights'
    """

    def __init__(self, objects: Objects, kept: LocalArtifacts, claim: Claim = unclaimed) -> None:
        self._objects = objects
        self._kept = kept
        self._claim = claim

    def put(self, content: bytes) -> str:
        """Store ``content`` and return its SHA-256 (hex).

        Raises
        ------
        BlockedError
            The store is another ledger's.
        StoreError
            The store fails.
        """
        self._claim()
        digest = hashlib.sha256(content).hexdigest()
        if self._objects.size(_key(digest)) != len(content):
            self._objects.put(_key(digest), content)
        self._kept.put(content)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes whose SHA-256 is ``digest``, from here or from the store.

        Raises
        ------
        StoreError
            Absent, unreadable, or the bytes do not have that hash any more.
        """
        key = _key(digest)
        if self._kept.has(digest):
            return self._kept.get(digest)
        content = self._objects.get(key)
        if content is None:
            raise StoreError(
                f"There is no such artifact at {self._objects.url}",
                seen=digest,
                remedy="Push it from where it was made, or repeat the run that made it.",
            )
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(
                f"An artifact at {self._objects.url} is damaged: its bytes do not have its hash",
                seen=digest,
                remedy=f"Delete {key} there, and push it again or repeat the run that made it.",
            )
        self._kept.put(content)
        return content

    def has(self, digest: str) -> bool:
        """Say whether ``digest`` is in the store."""
        return self._objects.size(_key(digest)) is not None

    def names(self) -> list[str]:
        """Return the hashes of all artifacts of the store, sorted."""
        keys = (listed.key for listed in self._objects.list(FOLDER))
        return sorted("".join(key.split("/")[1:]) for key in keys)

    def remove(self, digest: str) -> None:
        """Delete ``digest`` from the store and from here, if it is there."""
        self._claim(again=True)
        self._kept.remove(digest)
        if self.has(digest):
            self._objects.delete(_key(digest))


def _key(digest: str) -> str:
    return f"{FOLDER}/{place_of(digest)}"
