"""Copy objects from one place to another: only what is missing, many at a time, checked."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from gleis.contracts.errors import StoreError
from gleis.store.objects.objects import CHUNK, FolderObjects, Objects, Seen, nobody

Given = TypeVar("Given")
Answer = TypeVar("Answer")
_AT_ONCE = 8
"""Objects that are on their way at the same time."""


class Item(NamedTuple):
    """An object that is to be at the other side."""

    key: str
    size: int
    """Bytes."""
    sha256: str | None = None
    """What it must be; None if nobody has said yet."""
    there: bool = False
    """Whether the other side has it, of this size."""


def side_by_side(work: Callable[[Given], Answer], given: Iterable[Given]) -> list[Answer]:
    """Do the same to many, some at a time; the first error ends it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(work, one) for one in given]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def move(source: Objects, target: Objects, items: Sequence[Item], seen: Seen) -> dict[str, str]:
    """Copy what is missing; return the SHA-256 (hex) of every object that was asked for.

    Parameters
    ----------
    source, target : Objects
    items : sequence of Item
    seen : callable
        Told how many bytes more are at the other side.

    Raises
    ------
    StoreError
        A side fails, or an object arrives as another than it must be. What arrived before stays
        and is not copied again.
    """
    digests = side_by_side(lambda item: _move(source, target, item, seen), items)
    return {item.key: digest for item, digest in zip(items, digests, strict=True)}


def _move(source: Objects, target: Objects, item: Item, seen: Seen) -> str:
    if item.there and item.sha256 is not None:
        return item.sha256
    with at_hand(source, item.key, nobody if item.there else seen) as path:
        if item.there:
            digest = hash_file(path)
        elif isinstance(source, FolderObjects):
            digest = target.upload(item.key, path, seen)
        else:
            digest = hash_file(path)
            _check(item, digest, source)
            target.upload(item.key, path)
    if item.sha256 not in (None, digest):
        if not item.there:
            target.delete(item.key)
        _check(item, digest, source)
    return digest


@contextmanager
def at_hand(source: Objects, key: str, seen: Seen = nobody) -> Iterator[Path]:
    """Give a file with the content of an object: the object itself, if it is a file."""
    if isinstance(source, FolderObjects):
        path = source.path(key)
        if not path.is_file():
            raise StoreError(
                f"There is no {key} at {source.url}",
                remedy="It was removed or never arrived: restore it from a backup or the remote.",
            )
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gleis-") as folder:
        path = Path(folder) / "object"
        source.download(key, path, seen)
        yield path


def hash_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _check(item: Item, digest: str, source: Objects) -> None:
    if item.sha256 not in (None, digest):
        raise StoreError(
            f"{item.key} at {source.url} is damaged: it does not have its hash",
            seen=digest,
            remedy="Push it anew from where it was made, or restore it from a backup; what depends "
            "on it was not moved.",
        )
