"""Subjects as keyed hashes: recognised again, but not read from a record."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from gleis.contracts.errors import StoreError

FILE = "subjects.key"
_BYTES = 32


class Subjects:
    """Hashes ids of subjects under a key of the project.

    Ids are few and short, so that a plain hash of one is found by trying all; under a key that is
    kept apart from the records it is not. The key is made by the first erasure.

    Parameters
    ----------
    folder : Path
        Folder of the project's keys.

    References
    ----------
    Krawczyk, H., Bellare, M. & Canetti, R. (1997). HMAC: Keyed-Hashing for Message Authentication.
    RFC 2104, section 2.

    Examples
    --------
    >>> import tempfile
    >>> subjects = Subjects(Path(tempfile.mkdtemp()))
    >>> subjects.digest(" 12 ") == subjects.digest(12) != subjects.digest(13)
    True
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._key: bytes | None = None

    def digest(self, subject: object) -> str:
        """Return the hash of a subject, hex; ``12`` and ``"12"`` are one."""
        text = str(subject).strip().encode()
        return hmac.digest(self._open(), text, hashlib.sha256).hex()

    def known(self) -> bool:
        """Say whether the key is here."""
        return self._path.is_file()

    def _open(self) -> bytes:
        if self._key is None:
            try:
                self._key = self._read() if self.known() else self._make()
            except OSError as error:
                raise StoreError(
                    f"The key of subjects cannot be used: {error.strerror or error}",
                    seen=str(self._path),
                    remedy="Make the folder readable and writable.",
                ) from error
        return self._key

    def _read(self) -> bytes:
        key = self._path.read_bytes()
        if len(key) != _BYTES:
            raise StoreError(
                "The key of subjects is damaged",
                seen=f"{len(key)} bytes in {self._path}",
                remedy="Restore it from a backup: under another key erased subjects are not "
                "recognised.",
            )
        return key

    def _make(self) -> bytes:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        key = secrets.token_bytes(_BYTES)
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process made it
            return self._read()
        with os.fdopen(file, "wb") as opened:
            opened.write(key)
            opened.flush()
            os.fsync(opened.fileno())
        return key
