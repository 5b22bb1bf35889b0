"""What a source of rows must do, and what it hands over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import polars as pl

from gleis.contracts.dataset import SourceFile
from gleis.contracts.errors import DataError, GleisError
from gleis.store.objects.patience import Patience

if TYPE_CHECKING:
    from gleis.config.data_settings import DatasetSettings
    from gleis.contracts.dataset import DatasetSpec


class _Seen(str):
    """A value as an error has shown it."""

    def __repr__(self) -> str:
        return str(self)


def as_seen(error: GleisError) -> object:
    """Return the value an error has seen, for an error that says more of it."""
    return ... if error.seen is None else _Seen(error.seen)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one file, or of one batch of a stream."""

    frame: pl.DataFrame
    """As ``to_frame`` makes it."""
    file: SourceFile | None = None


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes one version: rows, and how far the source is read with them."""

    parts: tuple[Part, ...]
    cursor: str | None = None
    """What `Taken.cursor` says at the next reading, once these rows are recorded."""
    note: str | None = None
    """What there is to say of them."""
    whole: bool = False
    """Whether these are all rows of the source, those taken earlier among them."""
    since: datetime | None = None
    until: datetime | None = None
    """The period that was asked for, where the source takes one."""
    query: str | None = None
    """Query that gave them."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What the dataset has from its source already."""

    files: Mapping[str, SourceFile] = {}
    """Path -> file as it was taken."""
    cursor: str | None = None
    columns: Mapping[str, str] | None = None
    """Column -> type of the latest version; None before the first."""
    until: datetime | None = None
    """First moment that the latest version does not cover, where its rows have times."""
    other_code: bool = False
    """Whether the latest version was made by other code, or by other settings of the source."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was last looked at, so that it need not be read to know it again."""

    size: int
    """Bytes."""
    changed: int
    """Nanoseconds since 1970."""
    hash: str
    etag: str | None = None
    """Of an object in a bucket."""


class Notes(Protocol):
    """Who is told of what a source did not take, and remembers what it looked at."""

    def set_aside(self, path: str, hash_: str, why: DataError) -> None:
        """A file cannot be taken; raises if the policy is to refuse."""
        ...

    def is_aside(self, path: str, hash_: str) -> bool:
        """Say whether exactly this file was set aside before."""
        ...

    def leave(self, path: str, reason: str) -> None:
        """A file is left for later, or for ever; told, nothing else."""
        ...

    looked: dict[str, Looked]
    """Path -> file as last seen; kept from one reading to the next."""


class Source(Protocol):
    """Reads what is new.

    One kind a file of this folder, entered in ``registered.py``.
    """

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return what is not taken yet, in portions that fit into memory.

        A portion is asked for after the one before it was recorded, so a reader that is killed
        loses nothing and doubles nothing.

        Raises
        ------
        DataError
            The source cannot be read.
        """
        ...


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind of source is opened with."""

    where: str
    """``from`` of ``[datasets.NAME]``."""
    folder: Path
    """The project's; paths are relative to it."""
    spec: DatasetSpec
    settings: DatasetSettings
    now: datetime
    """Up to when a source is asked that takes a period."""
    wait: bool = True
    """Whether to wait a moment for files that were written just now."""
    patience: Patience = Patience()
    """How long to ask a bucket that does not answer."""


Open = Callable[[Opening], Source]
