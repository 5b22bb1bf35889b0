"""The online store in an LMDB folder: the quickest that is embedded; ``gleis[lmdb]``."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from gleis.contracts.errors import StoreError
from gleis.contracts.features import Written

_SIZE = 1 << 36
"""Bytes of address space; the file is only as large as what it holds."""
_LONGEST = 400
"""Bytes of a key that are kept as they are; LMDB takes 511 with the table's name."""
_BATCH = 20_000
_NOTE = b"\x00note\x00"
_open: dict[Path, tuple[Any, int]] = {}
"""Environments of this process and how many hold them: LMDB opens a folder once a process."""
_opening = threading.Lock()


class LmdbOnlineStore:
    """Newest rows by entity in an LMDB folder; see ``contracts.ports.OnlineStore``.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    StoreError
        Here and in every method: the folder cannot be written, is full, or the store is closed.
    """

    near = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._closed = False
        with self._explained(), _opening:
            environment, holders = _open.get(self._folder, (None, 0))
            if environment is None:
                environment = lmdb.open(str(self._folder), map_size=_SIZE, max_spare_txns=16)
                environment.reader_check()
            _open[self._folder] = (environment, holders + 1)
        self._environment: Any = environment

    def look_up(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """Return the rows of entities; None for one that is not there."""
        prefix = _prefix(table)
        with self._explained(), self._environment.begin() as reading:
            get = reading.get
            return [get(prefix + _key(key)) for key in keys]

    def replace(self, table: str, rows: Mapping[str, bytes]) -> Written:
        """Make a table hold these rows and no others."""
        prefix = _prefix(table)
        wanted = {prefix + _key(key): row for key, row in rows.items()}
        changed, ordered = 0, sorted(wanted)
        gone = [key for key in self._keys(prefix) if key not in wanted]
        for start in range(0, len(ordered), _BATCH):
            with self._explained(), self._environment.begin(write=True) as writing:
                for key in ordered[start : start + _BATCH]:
                    if writing.get(key) != wanted[key]:
                        writing.put(key, wanted[key])
                        changed += 1
        return Written(changed=changed, removed=self._delete(gone))

    def remove(self, table: str, keys: Sequence[str]) -> int:
        """Delete the rows of entities; return how many were there."""
        prefix = _prefix(table)
        return self._delete([prefix + _key(key) for key in keys])

    def drop(self, table: str) -> int:
        """Delete a table, its note last; return how many rows it held."""
        removed = self._delete(self._keys(_prefix(table)))
        self._delete([_NOTE + table.encode()])
        return removed

    def scrub(self) -> None:
        """Do nothing: LMDB writes over freed pages as it needs them, and cannot be made to."""

    def note(self, table: str) -> bytes | None:
        """Return what was noted about a table."""
        with self._explained(), self._environment.begin() as reading:
            found: bytes | None = reading.get(_NOTE + table.encode())
            return found

    def write_note(self, table: str, body: bytes) -> None:
        """Note something about a table."""
        with self._explained(), self._environment.begin(write=True) as writing:
            writing.put(_NOTE + table.encode(), body)

    def tables(self) -> list[str]:
        """Return the names of tables with a note, sorted."""
        return [key[len(_NOTE) :].decode() for key in self._keys(_NOTE)]

    def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        return sum(1 for _ in self._keys(_prefix(table)))

    def close(self) -> None:
        """Close the folder, if nobody else in this process holds it."""
        if self._closed:
            return
        self._closed = True
        with _opening:
            environment, holders = _open.pop(self._folder)
            if holders > 1:
                _open[self._folder] = (environment, holders - 1)
            else:
                environment.close()

    def _delete(self, keys: Sequence[bytes]) -> int:
        removed = 0
        for start in range(0, len(keys), _BATCH):
            with self._explained(), self._environment.begin(write=True) as writing:
                removed += sum(writing.delete(key) for key in keys[start : start + _BATCH])
        return removed

    def _keys(self, prefix: bytes) -> list[bytes]:
        with self._explained(), self._environment.begin() as reading:
            cursor = reading.cursor()
            found: list[bytes] = []
            if cursor.set_range(prefix):
                for key in cursor.iternext(values=False):
                    if not key.startswith(prefix):
                        break
                    found.append(key)
            return found

    @contextmanager
    def _explained(self) -> Iterator[None]:
        if self._closed:
            raise StoreError(f"{self._folder} is closed")
        try:
            yield
        except lmdb.Error as error:
            raise StoreError(
                f"{self._folder} fails: {error}",
                remedy="Make the folder writable, or make room; it can be made again: remove it, "
                "then gleis features materialise.",
            ) from error


def _prefix(table: str) -> bytes:
    return table.encode() + b"\x00"


def _key(key: str) -> bytes:
    body = key.encode()
    if len(body) <= _LONGEST:
        return b"k" + body
    return b"h" + hashlib.sha256(body).digest()
