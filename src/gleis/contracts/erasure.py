"""The erasure of a person's data: what was taken out, where, and what could not be."""

from __future__ import annotations

from datetime import datetime

import msgspec

KIND = "erasure"
"""Kind of the facts that record an erasure; their key is its id."""


class ErasedDataset(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did to one dataset."""

    name: str
    rows: int
    """Rows taken out, each counted once."""
    versions: tuple[str, ...]
    """Versions that held some of them; they can be read, but not reproduced bit by bit."""


class Erasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record of an erasure. It names nobody: the subject is a keyed hash."""

    id: str
    subject: str
    """HMAC-SHA256 of the subject's id under the project's key; by it rows that a source delivers
    again are known and left out."""
    at: datetime
    by: str
    """``user@host``."""
    reason: str = ""
    datasets: tuple[ErasedDataset, ...] = ()
    not_looked: tuple[str, ...] = ()
    """Datasets that name no column of subjects."""
    answers: int = 0
    """Answers of the prediction log that were emptied."""
    labels: int = 0
    feedback: int = 0
    reviews: int = 0
    """Answers of theirs that waited for a person."""
    features: int = 0
    """Entries of the online feature store."""
    artifacts: int = 0
    """Kept results of steps that held rows of theirs."""
    packages: tuple[str, ...] = ()
    """Signed packages that hold sample rows like theirs: they cannot be changed, only withdrawn."""
    named: tuple[str, ...] = ()
    """Answers whose reviews name a row of theirs in the ledger, where earlier versions wrote it."""
    trained: tuple[int, ...] = ()
    """Model versions that learned from rows of theirs."""
