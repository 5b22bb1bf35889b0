"""Objects of a bucket as files: an object is there whole or not at all, so none is half-written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.dataset import SourceFile
from gleis.contracts.errors import StoreError, UnavailableError
from gleis.data.sources.formats import READERS, Shape, read_file, suffix_of
from gleis.data.sources.place import (
    File,
    Unsettled,
    fixed_part,
    is_passed_over,
    is_pattern,
    matches,
)
from gleis.data.sources.source import Looked, Notes, Opening, Part, Taken, as_seen
from gleis.store.objects.by_url import S3, open_bucket

if TYPE_CHECKING:
    from gleis.store.objects.objects import Listed
    from gleis.store.objects.s3 import S3Objects

_AHEAD = 8
"""Objects that are fetched while others are read."""
_HASTY = 5.0
"""Seconds a bucket is asked for the loop, which has other things to do and will be due again."""


class BucketFiles:
    """Finds objects by ``s3://bucket/prefix/``, a pattern, or a key.

    Endpoint and credentials come from the usual variables, as for ``store``. An object is known by
    its key, ETag and size: one that was taken is not fetched again, whoever asks.

    Parameters
    ----------
    opening : Opening
        ``where``: the URL.
    """

    def __init__(self, opening: Opening) -> None:
        self._where = opening.where
        self._url, _, self._key = opening.where.removeprefix(S3).partition("/")
        self._url = S3 + self._url
        patience = opening.patience
        if not opening.wait:
            longest = min(_HASTY, patience.seconds)
            patience = msgspec.structs.replace(patience, seconds=longest)
        self._bucket = open_bucket(self._url, patience, f"datasets.{opening.spec.name}.from")

    def files(self, taken: Taken, notes: Notes) -> Iterator[File]:
        """Yield the objects in the order of their keys; new ones are fetched ahead."""
        found = self._found(notes)
        with TemporaryDirectory(prefix="gleis-ingest-") as folder:
            pool = ThreadPoolExecutor(_AHEAD, "gleis-fetch")
            try:
                yield from self._fetching(found, taken, notes, Path(folder), pool)
            finally:
                pool.shutdown(cancel_futures=True)

    def _fetching(
        self,
        found: Sequence[Listed],
        taken: Taken,
        notes: Notes,
        folder: Path,
        pool: ThreadPoolExecutor,
    ) -> Iterator[File]:
        waiting: deque[_BucketFile] = deque()
        for at, listed in enumerate(found):
            name = f"{self._url}/{listed.key}"
            path = folder / f"{at}{suffix_of(Path(listed.key))}"
            file = _BucketFile(self._bucket, listed, name, path)
            if file.known(taken.files.get(name), notes) is None:
                file.fetch_in(pool)
            waiting.append(file)
            if len(waiting) > _AHEAD:
                yield waiting[0]
                waiting.popleft().forget()
        for file in waiting:
            yield file
            file.forget()

    def _found(self, notes: Notes) -> list[Listed]:
        """List what the source names."""
        pattern = self._key.split("/")
        top = fixed_part(self._key) if is_pattern(self._key) else self._key.rstrip("/")
        deep = is_pattern("/".join(pattern[:-1]))
        try:
            if not is_pattern(self._key) and suffix_of(Path(self._key)) in READERS:
                one = self._bucket.find(self._key)
                return [] if one is None else [one]
            listed = self._bucket.listed(top, deep=deep)
        except StoreError as error:
            raise _away(error) from error
        below = len(top.split("/")) if top else 0
        named = [one for one in listed if not is_passed_over(one.key.split("/")[below:])]
        if is_pattern(self._key):
            return [one for one in named if matches(one.key.split("/"), pattern)]
        return [one for one in named if self._is_read(one, notes)]

    def _is_read(self, one: Listed, notes: Notes) -> bool:
        if suffix_of(Path(one.key)) in READERS:
            return True
        notes.leave(f"{self._url}/{one.key}", "it is no kind of file that is read")
        return False


class _BucketFile:
    """An object as it was listed."""

    def __init__(self, bucket: S3Objects, listed: Listed, name: str, path: Path) -> None:
        self._bucket = bucket
        self._listed = listed
        self._path = path
        self._fetched: Future[str | None] | None = None
        self.name = name
        self.size = listed.size

    def known(self, before: SourceFile | None, notes: Notes) -> str | None:
        """Return the hash of its bytes, if they are those that were taken or looked at."""
        for seen in (before, notes.looked.get(self.name)):
            if seen is not None and seen.etag == self._listed.etag is not None:
                return seen.hash if seen.size == self.size else None
        return None

    def fetch_in(self, pool: ThreadPoolExecutor) -> None:
        """Begin to fetch it."""
        self._fetched = pool.submit(self._fetch)

    def hash(self, before: SourceFile | None, notes: Notes) -> str:
        """Return the hash of its bytes."""
        known = self.known(before, notes)
        if known is not None:
            return known
        hash_, listed = self._here(), self._listed
        changed = round(listed.modified * 1e9)
        notes.looked[self.name] = Looked(
            size=listed.size, changed=changed, hash=hash_, etag=listed.etag
        )
        return hash_

    def read(self, hash_: str, shape: Shape) -> Part:
        """Return its rows."""
        self._here()
        frame = read_file(self._path, shape)
        self.forget()
        return Part(
            frame=frame,
            file=SourceFile(
                path=self.name,
                hash=hash_,
                size=self.size,
                rows=frame.height,
                etag=self._listed.etag,
            ),
        )

    def forget(self) -> None:
        """Delete what was fetched."""
        if self._fetched is not None and self._fetched.done():
            self._path.unlink(missing_ok=True)

    def _here(self) -> str:
        """See that it is on this disk, and return its hash."""
        try:
            digest = self._fetched.result() if self._fetched is not None else self._fetch()
        except StoreError as error:
            raise _away(error) from error
        if digest is None:
            # Replaced or deleted since it was listed; the next look finds it as it is then.
            raise Unsettled
        return f"sha256:{digest}"

    def _fetch(self) -> str | None:
        return self._bucket.download_as(self._listed, self._path)


def _away(error: StoreError) -> UnavailableError:
    """Say a bucket's failure as that of a source, which may come back: nothing of ours fails."""
    return UnavailableError(error.what, seen=as_seen(error), remedy=error.remedy)
