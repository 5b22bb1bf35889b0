"""The port to where bytes have names: a folder or a bucket, and the folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from gleis.contracts.errors import StoreError
from gleis.store.whole_files import create_whole, write_whole

Seen = Callable[[int], None]
"""Told how many bytes more were moved."""
CHUNK = 1 << 20
"""Bytes read at once from a file."""


def nobody(count: int) -> None:
    """Tell nobody how many bytes were moved."""


class Listed(NamedTuple):
    """An object and its size."""

    key: str
    size: int
    """Bytes."""
    modified: float
    """When it was written: seconds since 1970, by the clock of the place."""
    etag: str | None = None
    """What S3 says of its content."""


class Objects(Protocol):
    """Bytes under keys like ``datasets/weather/part-0.parquet``; each is there whole or not at all.

    Every method raises StoreError if the place fails, or a key would lead out of it.
    """

    url: str
    """Of the folder or bucket, for people."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes under a key; None if there are none."""
        ...

    def put(self, key: str, content: bytes) -> None:
        """Set the bytes under a key."""
        ...

    def create(self, key: str, content: bytes) -> bool:
        """Set the bytes under a key that has none; return whether these bytes are there now.

        Of many who create the same key, one succeeds. Creating the same bytes again succeeds.
        """
        ...

    def size(self, key: str) -> int | None:
        """Return how many bytes are under a key; None if it is not there."""
        ...

    def list(self, prefix: str) -> list[Listed]:
        """Return what is below a prefix, a whole part of keys, sorted by key."""
        ...

    def upload(self, key: str, path: Path, seen: Seen = nobody) -> str:
        """Set the bytes under a key from a file, of any size; return their SHA-256 (hex)."""
        ...

    def download(self, key: str, path: Path, seen: Seen = nobody) -> str:
        """Write the bytes under a key to a file, of any size; return their SHA-256 (hex)."""
        ...

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is removed already."""
        ...


def check_key(key: str) -> str:
    """Return a key that leads nowhere else; StoreError for any other."""
    parts = key.split("/")
    if any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in parts):
        raise StoreError("This cannot be the name of an object", seen=key)
    return key


class FolderObjects:
    """A folder; keys are paths below it. Drafts begin with a dot and are not listed.

    Parameters
    ----------
    folder : Path
        Made when something is put.

    Examples
    --------
    >>> import tempfile
    >>> objects = FolderObjects(Path(tempfile.mkdtemp()))
    >>> objects.create("facts/a", b"1"), objects.create("facts/a", b"2")
    (True, False)
    >>> [found.key for found in objects.list("facts")]
    ['facts/a']
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = str(folder)

    def get(self, key: str) -> bytes | None:
        """Return the bytes under a key; None if there are none."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure(error) from error

    def put(self, key: str, content: bytes) -> None:
        """Set the bytes under a key."""
        try:
            write_whole(self._place(key), content)
        except OSError as error:
            raise self._failure(error) from error

    def create(self, key: str, content: bytes) -> bool:
        """Set the bytes under a key that has none; return whether these bytes are there now."""
        try:
            return create_whole(self._place(key), content) or self.get(key) == content
        except OSError as error:
            raise self._failure(error) from error

    def size(self, key: str) -> int | None:
        """Return how many bytes are under a key; None if it is not there."""
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure(error) from error

    def list(self, prefix: str) -> list[Listed]:
        """Return what is below a prefix, sorted by key."""
        try:
            return sorted(self._walk(self.path(prefix)))
        except OSError as error:
            raise self._failure(error) from error

    def upload(self, key: str, path: Path, seen: Seen = nobody) -> str:
        """Set the bytes under a key from a file; return their SHA-256 (hex)."""
        return self._copy(path, self._place(key), seen)

    def download(self, key: str, path: Path, seen: Seen = nobody) -> str:
        """Write the bytes under a key to a file; return their SHA-256 (hex)."""
        return self._copy(self.path(key), path, seen)

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is removed already."""
        try:
            self.path(key).unlink(missing_ok=True)
        except OSError as error:
            raise self._failure(error) from error

    def path(self, key: str) -> Path:
        """Return the file of a key."""
        return self.folder / check_key(key)

    def _place(self, key: str) -> Path:
        place = self.path(key)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._failure(error) from error
        return place

    def _walk(self, folder: Path) -> Iterator[Listed]:
        for where, _, names in os.walk(folder):
            for name in names:
                if not name.startswith("."):
                    path = Path(where, name)
                    key = path.relative_to(self.folder).as_posix()
                    told = path.stat()
                    yield Listed(key, told.st_size, told.st_mtime)

    def _copy(self, source: Path, target: Path, seen: Seen) -> str:
        draft = target.with_name(f".{target.name}.draft-{os.getpid()}")
        try:
            digest = copy_hashed(source, draft, seen)
            draft.replace(target)
        except OSError as error:
            raise self._failure(error) from error
        finally:
            draft.unlink(missing_ok=True)
        return digest

    def _failure(self, error: OSError) -> StoreError:
        return StoreError(
            f"The folder {self.url} fails: {error.strerror or error}",
            seen=error.filename,
            remedy="See that it is there and can be written, and that the disk has room.",
        )


def copy_hashed(source: Path, target: Path, seen: Seen) -> str:
    """Copy a file onto the disk and return the SHA-256 (hex) of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as written:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            written.write(chunk)
            seen(len(chunk))
        written.flush()
        os.fsync(written.fileno())
    shutil.copymode(source, target)
    return digest.hexdigest()
