"""The ports between rooms: what a backend must do to stand in for another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gleis.contracts.prediction import Batch, Label, LabelReceipt

    Scores = NDArray[np.float64]

Columns = Mapping[str, Sequence[Any]]
"""Column name to values, all of one length: lists, arrays or polars Series."""


class Model(Protocol):
    """Anything that answers rows: a fitted estimator, a rule, later a compiled form."""

    def predict(self, columns: Columns) -> Scores:
        """Score rows.

        Parameters
        ----------
        columns : mapping of str to sequence, each (n_rows,)
            At least the contract's features. None or NaN marks a missing value.

        Returns
        -------
        ndarray of float64
            (n_rows,) probability of the positive class (binary) or value (regression);
            (n_rows, n_classes) probabilities (multiclass).
        """
        ...


class ArtifactStore(Protocol):
    """Bytes by the hash of their content."""

    def put(self, content: bytes) -> str:
        """Store ``content`` and return its SHA-256 (hex). Storing twice is storing once."""
        ...

    def get(self, digest: str) -> bytes:
        """Return the bytes of ``digest``; StoreError if absent or damaged."""
        ...

    def has(self, digest: str) -> bool:
        """Say whether ``digest`` is there."""
        ...


class FactStore(Protocol):
    """The append-only ledger: facts are added, never changed."""

    def append(self, kind: str, key: str, body: bytes, at: datetime) -> int:
        """Append a fact and return its sequence number."""
        ...

    def append_once(self, kind: str, key: str, body: bytes, at: datetime) -> bool:
        """Append unless a fact of this kind and key exists; return whether it was appended."""
        ...

    def latest(self, kind: str, key: str) -> bytes | None:
        """Return the newest body of this kind and key."""
        ...

    def all(self, kind: str, *, until: datetime | None = None) -> Iterator[bytes]:
        """Return the bodies of this kind, oldest first, up to and including ``until``."""
        ...


class StateStore(Protocol):
    """What may change: monitor states, cursors, kept results. Survives the process."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes under ``key``."""
        ...

    def put(self, key: str, body: bytes) -> None:
        """Set the bytes under ``key``, durably."""
        ...


class PredictionLog(Protocol):
    """Durable record of what was answered and what was true."""

    def append(self, batches: Sequence[Batch]) -> list[list[str]]:
        """Write batches in one commit; return their prediction ids once they are on disk."""
        ...

    def label(self, labels: Sequence[Label], received: datetime) -> LabelReceipt:
        """Write labels in one commit."""
        ...
