"""The ports between rooms: what a backend must do to stand in for another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gleis.contracts.features import Written
    from gleis.contracts.notice import Waiting
    from gleis.contracts.prediction import Batch, Label, LabelReceipt
    from gleis.contracts.review import Queued

    Scores = NDArray[np.float64]

Form = TypeVar("Form")

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

    def names(self) -> list[str]:
        """Return the hashes of all artifacts."""
        ...

    def remove(self, digest: str) -> None:
        """Delete ``digest``, if it is there."""
        ...


class OnlineStore(Protocol):
    """Newest rows by entity, for lookups within requests.

    Rows are bytes; a ``table`` is one feature view at one state of its code and columns. Readers
    and a writer may be different processes; a reader sees a row as it was before or after, never
    half.
    """

    near: bool
    """True if a lookup is a matter of microseconds and waits for no network."""

    def look_up(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """Return the rows of entities, in their order; None for one that is not there."""
        ...

    def replace(self, table: str, rows: Mapping[str, bytes]) -> Written:
        """Make a table hold these rows and no others.

        Only what differs is written. Done again after a kill, it ends as if never interrupted.
        """
        ...

    def remove(self, table: str, keys: Sequence[str]) -> int:
        """Delete the rows of entities; return how many were there."""
        ...

    def drop(self, table: str) -> int:
        """Delete a table, its note last; return how many rows it held."""
        ...

    def scrub(self) -> None:
        """See that no byte of what was deleted is left, as far as the store can."""
        ...

    def note(self, table: str) -> bytes | None:
        """Return what was noted about a table; None if nothing was."""
        ...

    def write_note(self, table: str, body: bytes) -> None:
        """Note something about a table."""
        ...

    def tables(self) -> list[str]:
        """Return the names of tables with a note, sorted."""
        ...

    def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        ...

    def close(self) -> None:
        """Close it; a lookup afterwards raises StoreError."""
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

    def decoded(self, kind: str, form: type[Form]) -> tuple[Form, ...]:
        """Return the facts of this kind, oldest first, each decoded once in the life of a store.

        For kinds that are looked at again and again: a look reads what is new since the last one,
        and what was read stays in memory. Nothing new: the same tuple.
        """
        ...

    def keys(self, kind: str) -> list[str]:
        """Return the keys of this kind, each once, in the order of their first fact."""
        ...

    def last(self, *kinds: str) -> int:
        """Return the sequence number of the newest fact of these kinds; 0 if there is none.

        Facts become visible in the order of their numbers: who goes on behind it misses none.
        """
        ...

    def verify(self) -> int:
        """Walk the whole chain and return its length; StoreError names the first broken fact."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class StateStore(Protocol):
    """What may change: monitor states, cursors, kept results. Survives the process."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes under ``key``."""
        ...

    def put(self, key: str, body: bytes) -> None:
        """Set the bytes under ``key``, durably."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class Outbox(Protocol):
    """Notices on their way: names only, no message and no secret."""

    def first_of(self, receiver: str) -> int | None:
        """Return the number of the first alarm a receiver is told of; None if it is new."""
        ...

    def meet(self, receiver: str, first: int) -> None:
        """Remember the number of the first alarm a new receiver is told of."""
        ...

    def put(self, notices: Iterable[Waiting]) -> None:
        """Let notices wait: all of them or none; one that waits already goes on as it was."""
        ...

    def waiting(self) -> list[Waiting]:
        """Return what waits, in the order in which it came."""
        ...

    def attempt(self, notice: Waiting, at: datetime, pause: float) -> bool:
        """Count an attempt before it is made; False if somebody tried it since it was read."""
        ...

    def failed(self, notice: Waiting, said: str, pause: float) -> None:
        """Note what came of an attempt, and how long the next one waits."""
        ...

    def begin_pause(self, notice: Waiting, at: datetime) -> None:
        """Count the pause from another moment."""
        ...

    def remove(self, notice: str, receiver: str) -> None:
        """Take a notice out."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class Reviews(Protocol):
    """Answers that wait for a person."""

    def seen(self) -> int:
        """Return the entry of the log up to which answers were looked at."""
        ...

    def take(self, found: Sequence[Queued], seen: int) -> None:
        """Add answers and note how far the log was looked through, in one commit."""
        ...

    def first(self, limit: int) -> list[Queued]:
        """Return those that wait longest."""
        ...

    def names(self) -> list[str]:
        """Return the prediction ids of all, the oldest first."""
        ...

    def holds(self, prediction_id: str) -> bool:
        """Say whether an answer waits."""
        ...

    def count(self) -> int:
        """Return how many wait."""
        ...

    def remove(self, prediction_ids: Sequence[str]) -> None:
        """Take answers out; unknown ones are ignored."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class ProjectLock(Protocol):
    """One holder a project; it ends with the process that holds it."""

    def take(self) -> None:
        """Take the lock; StoreError if another process holds it."""
        ...

    def try_take(self) -> bool:
        """Take the lock unless another process holds it; return whether it was taken."""
        ...

    def await_take(self, seconds: float = 5.0) -> None:
        """Take the lock; StoreError if another process still holds it after so many seconds."""
        ...

    def keep(self) -> bool:
        """See that it is still ours, after a server restarted; False if another took it."""
        ...

    def held(self) -> bool:
        """Say whether another process holds it."""
        ...

    def release(self) -> None:
        """Let go of it."""
        ...


class PredictionLog(Protocol):
    """Durable record of what was answered and what was true."""

    def append(self, batches: Sequence[Batch]) -> list[list[str]]:
        """Write batches in one commit; return their prediction ids once they are on disk."""
        ...

    def label(self, labels: Sequence[Label], received: datetime) -> LabelReceipt:
        """Write labels in one commit."""
        ...
