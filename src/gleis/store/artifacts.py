"""Bytes by the hash of their content, in a folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from gleis.contracts.errors import StoreError
from gleis.store.whole_files import write_whole


class LocalArtifacts:
    """Content-addressed files: ``ab/cdef...`` holds the bytes whose SHA-256 is ``abcdef...``.

    Parameters
    ----------
    folder : Path
        Made by the first ``put``.

    Examples
    --------
    >>> import tempfile
    >>> artifacts = LocalArtifacts(Path(tempfile.mkdtemp()))
    >>> digest = artifacts.put(b"weights")
    >>> artifacts.get(digest)
    b'weights'
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Store ``content`` and return its SHA-256 (hex).

        It is whole and on disk, or absent: never half. Storing again mends a damaged copy.

        Raises
        ------
        StoreError
            The folder is not writable, or the disk is full.
        """
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        try:
            if not (path.is_file() and path.read_bytes() == content):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, content)
        except OSError as error:
            raise StoreError(
                f"Artifact {digest[:12]} cannot be stored: {error}",
                remedy="Make the folder writable and see that the disk has room.",
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes whose SHA-256 is ``digest``.

        Raises
        ------
        StoreError
            Absent, unreadable, or the bytes do not have that hash any more.
        """
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise StoreError(
                "There is no such artifact",
                seen=digest,
                remedy=f"Restore {path} from a backup, or repeat the run that made it.",
            ) from None
        except OSError as error:
            raise StoreError(f"Artifact {digest[:12]} cannot be read: {error}") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(
                "An artifact is damaged: its bytes do not have its hash",
                seen=str(path),
                remedy="Restore it from a backup, or delete it and repeat the run that made it.",
            )
        return content

    def has(self, digest: str) -> bool:
        """Say whether ``digest`` is there (not whether it is undamaged: ``get`` does)."""
        return self._path(digest).is_file()

    def names(self) -> list[str]:
        """Return the hashes of all artifacts, sorted."""
        found = (path.parent.name + path.name for path in self._folder.glob("??/*"))
        return sorted(name for name in found if re.fullmatch("[0-9a-f]{64}", name))

    def remove(self, digest: str) -> None:
        """Delete ``digest``, if it is there.

        Raises
        ------
        StoreError
            The folder is not writable.
        """
        try:
            self._path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"Artifact {digest[:12]} cannot be deleted: {error}") from error

    def _path(self, digest: str) -> Path:
        return self._folder / place_of(digest)


def place_of(digest: str) -> str:
    """Return the place of an artifact below its store's: ``ab/cdef...``.

    Raises
    ------
    StoreError
        It is not the hash of an artifact.
    """
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise StoreError("This is not the hash of an artifact", seen=digest)
    return f"{digest[:2]}/{digest[2:]}"
