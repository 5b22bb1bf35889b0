"""Objects in a bucket of S3, or of anything that speaks its language.

obstore is imported here and nowhere else; it is part of the extra ``s3``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from gleis.contracts.errors import StoreError
from gleis.store.objects.objects import CHUNK, Listed, Seen, check_key, nobody
from gleis.store.objects.patience import Patience, patiently
from gleis.store.objects.s3_failures import failure
from gleis.store.objects.s3_options import ANSWER, CONNECT, plain_http

if TYPE_CHECKING:
    from hashlib import _Hash

    from obstore import GetOptions, ObjectMeta

Answer = TypeVar("Answer")
_PART = 8 << 20
"""Bytes of one part of a large object; a part that fails is sent again, not the whole."""


class S3Objects:
    """A bucket, or what is below a prefix in it.

    Endpoint and credentials come from the usual variables: ``AWS_ENDPOINT_URL``,
    ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_REGION``. What
    may pass (no answer, 5xx) is asked again, with `Patience`.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``.
    patience : Patience, optional
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.url = url.rstrip("/")
        self._patience = patience or Patience()
        bucket, _, prefix = self.url.removeprefix("s3://").partition("/")
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={
                "allow_http": plain_http(),
                "connect_timeout": f"{CONNECT}s",
                "timeout": f"{ANSWER}s",
            },
            # A hiccup is met within a request; what lasts longer is waited for by `patiently`.
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=min(10.0, self._patience.seconds)),
                "backoff": {
                    "init_backoff": timedelta(seconds=min(0.1, self._patience.first)),
                    "max_backoff": timedelta(seconds=1),
                    "base": 2,
                },
            },
        )

    def get(self, key: str) -> bytes | None:
        """Return the bytes under a key; None if there are none."""
        return self._ask(lambda: bytes(obstore.get(self._store, check_key(key)).bytes()))

    def put(self, key: str, content: bytes) -> None:
        """Set the bytes under a key."""
        self._write(lambda: obstore.put(self._store, check_key(key), content, chunk_size=_PART))

    def create(self, key: str, content: bytes) -> bool:
        """Set the bytes under a key that has none; return whether these bytes are there now."""
        try:
            self._write(
                lambda: obstore.put(
                    self._store, check_key(key), content, mode="create", use_multipart=False
                )
            )
        except AlreadyExistsError:
            # Ours, if an attempt before succeeded and its answer was lost.
            return self.get(key) == content
        return True

    def size(self, key: str) -> int | None:
        """Return how many bytes are under a key; None if it is not there."""
        found = self._ask(lambda: obstore.head(self._store, check_key(key)))
        return None if found is None else found["size"]

    def list(self, prefix: str) -> list[Listed]:
        """Return what is below a prefix, sorted by key."""
        return [*self.listed(check_key(prefix))]

    def listed(self, folder: str = "", *, deep: bool = True) -> Sequence[Listed]:
        """Return the objects of a folder, sorted by key.

        Parameters
        ----------
        folder : str
            A whole part of keys; empty: all.
        deep : bool
            Whether those of folders within are among them; if not, they are not even looked at.
        """

        def ask() -> Sequence[Listed]:
            if not deep:
                objects = obstore.list_with_delimiter(self._store, folder or None)["objects"]
                return [_listed(one) for one in objects]
            pages = obstore.list(self._store, folder or None)
            return [_listed(one) for page in pages for one in page]

        return sorted(self._ask(ask) or [])

    def find(self, key: str) -> Listed | None:
        """Return an object as it is listed; None if it is not there."""
        return self._ask(lambda: _listed(obstore.head(self._store, check_key(key))))

    def upload(self, key: str, path: Path, seen: Seen = nobody) -> str:
        """Set the bytes under a key from a file, in parts; return their SHA-256 (hex)."""
        try:
            with path.open("rb") as file:
                return self._write(lambda: self._send(key, _Read(file, seen)))
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error

    def download(self, key: str, path: Path, seen: Seen = nobody) -> str:
        """Write the bytes under a key to a file, going on where a connection broke.

        Returns the SHA-256 (hex) of what was written.
        """
        found = self.find(key)
        digest = None if found is None else self.download_as(found, path, seen)
        if digest is None:
            raise self._absent(key)
        return digest

    def download_as(self, listed: Listed, path: Path, seen: Seen = nobody) -> str | None:
        """Write an object to a file as ``download`` does, if it is as it was listed.

        Returns the SHA-256 (hex) of what was written; None if the object was replaced or removed.
        """
        draft = path.with_name(f".{path.name}.draft-{os.getpid()}")
        try:
            with draft.open("wb") as file:
                digest = self._fetch(listed, _Written(file.write, seen))
                if digest is None:
                    return None
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written: {error.strerror or error}",
                remedy="See that the folder can be written, and that the disk has room.",
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return digest

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is removed already."""
        self._ask(lambda: obstore.delete(self._store, check_key(key)))

    def _send(self, key: str, read: _Read) -> str:
        try:
            obstore.put(self._store, check_key(key), read, chunk_size=_PART, max_concurrency=4)
        except BaseException:
            read.begin_again()
            raise
        return read.digest.hexdigest()

    def _fetch(self, listed: Listed, written: _Written) -> str | None:
        def go_on() -> str:
            if written.count < listed.size:
                # What is fetched in several attempts is of one state of the object.
                options: GetOptions = {"if_match": listed.etag}
                if written.count:
                    options["range"] = {"offset": written.count}
                for chunk in obstore.get(self._store, listed.key, options=options).stream(CHUNK):
                    written.take(bytes(chunk))
            return written.digest.hexdigest()

        try:
            return self._ask(go_on)
        except PreconditionError:
            return None

    def _ask(self, call: Callable[[], Answer]) -> Answer | None:
        """Return what a call returns; None if there is no such object."""

        def attempt() -> Answer | None:
            try:
                return call()
            except PreconditionError:
                raise
            except (BaseError, FileNotFoundError) as error:
                found = failure(error, self.url)
                if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
                    return None
                raise found from error

        return patiently(attempt, self._patience)

    def _write(self, call: Callable[[], Answer]) -> Answer:
        def attempt() -> Answer:
            try:
                return call()
            except AlreadyExistsError:
                raise
            except (BaseError, FileNotFoundError) as error:
                raise failure(error, self.url) from error

        return patiently(attempt, self._patience)

    def _absent(self, key: str) -> StoreError:
        return StoreError(
            f"There is no {key} at {self.url}",
            remedy="It was removed meanwhile. Run it again.",
        )


def _listed(found: ObjectMeta) -> Listed:
    modified = found["last_modified"].timestamp()
    return Listed(found["path"], found["size"], modified, found["e_tag"])


class _Read:
    """The parts of a file, hashed and counted as they are read."""

    def __init__(self, file: IO[bytes], seen: Seen) -> None:
        self.digest: _Hash = hashlib.sha256()
        self._file = file
        self._seen = seen
        self._count = 0
        file.seek(0)

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK):
            self.digest.update(chunk)
            self._count += len(chunk)
            self._seen(len(chunk))
            yield chunk

    def begin_again(self) -> None:
        """Take back what was counted: it will be read once more."""
        self._seen(-self._count)


class _Written:
    """What has arrived so far."""

    def __init__(self, write: Callable[[bytes], int], seen: Seen) -> None:
        self.digest: _Hash = hashlib.sha256()
        self.count = 0
        self._write = write
        self._seen = seen

    def take(self, chunk: bytes) -> None:
        """Write a chunk behind the others."""
        self._write(chunk)
        self.digest.update(chunk)
        self.count += len(chunk)
        self._seen(len(chunk))
