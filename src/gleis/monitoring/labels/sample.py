"""A bounded sample of labelled rows that is fair whatever order labels come in."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.monitoring.packing import decode_state, pack, unpack

Floats = NDArray[np.float64]

_NUMBERS = 80_000
"""Scores kept at most, of all rows and classes."""
ROWS = 4_000
"""Rows kept at most."""
_SLACK = 1.25
"""How far it may grow before it is thinned."""


class Rows(NamedTuple):
    """Labelled rows, all arrays (n_rows,) but scores of several classes."""

    marks: NDArray[np.uint64]
    """A hash of each prediction id: the rows with the lowest ones are kept."""
    stretches: NDArray[np.int64]
    targets: Floats
    scores: Floats
    shares: Floats
    """Probability with which such rows were given to this version."""
    groups: NDArray[np.int64]
    """Group of people, where anybody asks; else 0."""

    def take(self, chosen: NDArray[np.generic]) -> Rows:
        """Return some of them."""
        return Rows(*(column[chosen] for column in self))

    def join(self, other: Rows) -> Rows:
        """Return these and others."""
        return Rows(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


class _State(msgspec.Struct, frozen=True, array_like=True):
    rows: bytes
    seen: dict[int, int]
    below: dict[int, int]


class Sample:
    """Keeps up to 4,000 labelled rows, of each stretch of time those with the lowest hashes.

    Whether a row is kept depends on its id only, not on its label, its score, or when its label
    came: of each stretch it is a simple random sample. When there are too many, the stretches with
    the most give rows up first, and `weights` makes up for it.

    References
    ----------
    .. [1] Cohen & Kaplan (2007). Summarizing data using bottom-k sketches. PODC, section 2.
    """

    def __init__(self, n_scores: int) -> None:
        shape = (0,) if n_scores == 1 else (0, n_scores)
        self.rows = Rows(
            np.empty(0, dtype=np.uint64),
            np.empty(0, dtype=np.int64),
            np.empty(0),
            np.empty(shape),
            np.empty(0),
            np.empty(0, dtype=np.int64),
        )
        self.seen: dict[int, int] = {}
        """Labelled rows by stretch, kept or not."""
        self._below: dict[int, int] = {}
        """Of a stretch that was thinned: the lowest hash that was given up."""
        self._most = max(200, min(ROWS, _NUMBERS // n_scores))

    def add(self, rows: Rows) -> None:
        """See rows whose first label came."""
        for number, many in zip(*np.unique(rows.stretches, return_counts=True), strict=True):
            self.seen[int(number)] = self.seen.get(int(number), 0) + int(many)
        if self._below:
            never = 2**64 - 1
            below = [self._below.get(number, never) for number in rows.stretches.tolist()]
            rows = rows.take(rows.marks < np.array(below, dtype=np.uint64))
        self.rows = self.rows.join(rows)
        if len(self.rows.marks) > self._most * _SLACK:
            self._thin()

    def mend(self, corrected: dict[int, float]) -> None:
        """Correct the targets of rows labelled again, by the hash of their id."""
        for mark, target in corrected.items():
            self.rows.targets[self.rows.marks == np.uint64(mark)] = target

    def forget(self, before: int) -> None:
        """Drop stretches before one."""
        if any(number < before for number in self.seen):
            self.rows = self.rows.take(self.rows.stretches >= before)
            self.seen = {n: many for n, many in self.seen.items() if n >= before}
            self._below = {n: mark for n, mark in self._below.items() if n >= before}

    def between(self, first: int, last: int) -> tuple[Rows, Floats]:
        """Return the rows of some stretches, and for how many labelled rows each stands."""
        rows = self.rows.take((first <= self.rows.stretches) & (self.rows.stretches <= last))
        numbers, place, kept = np.unique(rows.stretches, return_inverse=True, return_counts=True)
        seen = np.array([self.seen[number] for number in numbers.tolist()], dtype=np.float64)
        return rows, (seen / kept)[place] if len(numbers) else np.empty(0)

    def to_bytes(self) -> bytes:
        """Return the state."""
        content = pack(self.rows._asdict())
        return msgspec.msgpack.encode((content, self.seen, self._below))

    @classmethod
    def from_bytes(cls, content: bytes, n_scores: int) -> Sample:
        """Go on from ``to_bytes``.

        Raises
        ------
        StoreError
            The bytes are damaged.
        """
        kept = decode_state(content, _State)
        sample = cls(n_scores)
        columns = unpack(kept.rows)
        sample.rows = Rows(*(columns[name] for name in Rows._fields))
        sample.seen, sample._below = kept.seen, kept.below
        return sample

    def _thin(self) -> None:
        rows = self.rows
        order = np.lexsort((rows.marks, rows.stretches))
        numbers, starts, many = np.unique(
            rows.stretches[order], return_index=True, return_counts=True
        )
        most = _level(many, self._most)
        rank = np.arange(len(order)) - np.repeat(starts, many)
        for number, start, length in zip(numbers, starts, many, strict=True):
            if length > most:
                self._below[int(number)] = int(rows.marks[order[start + most]])
        self.rows = rows.take(order[rank < most])


def marks_of(ids: Sequence[str]) -> NDArray[np.uint64]:
    """Return a hash of each prediction id, (n_rows,)."""
    digests = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in ids)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _level(many: NDArray[np.int64], wanted: int) -> int:
    """Return the most rows a stretch may keep, so that about ``wanted`` are kept in all."""
    low, high = 1, int(many.max())
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(many, middle).sum()) <= wanted:
            low = middle
        else:
            high = middle - 1
    return low
