"""What came of reading a dataset's source."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.contracts.dataset import DatasetVersion


class SetAside(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file or message that could not be taken, kept in the ledger with its reason."""

    dataset: str
    what: str
    """Path of the file, or ``topic/partition/offset`` of the message."""
    hash: str
    """``sha256:...`` of its bytes; empty if they cannot be read."""
    reason: str
    """Without the value that was seen: the ledger forgets nothing, and it may be somebody's."""
    at: datetime


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was left where it is, for later or for ever."""

    what: str
    reason: str


class Ingested(msgspec.Struct, frozen=True, kw_only=True):
    """What one reading of a source brought."""

    dataset: str
    latest: DatasetVersion | None
    """The newest version after it; None if the dataset has no rows yet."""
    made: tuple[DatasetVersion, ...] = ()
    """Versions it made, oldest first."""
    rows: int = 0
    """Rows it took."""
    files: int = 0
    """Files it took."""
    set_aside: tuple[SetAside, ...] = ()
    """What was set aside now; what had been before is not told again."""
    messages_set_aside: int = 0
    """Messages of a stream that were no rows; the versions keep them with their reasons."""
    left: tuple[Left, ...] = ()
    failed: str | None = None
    """Why the source, or something in it, was refused."""
