"""A parquet file that grows part by part and can be taken up again after a kill.

Every part is a parquet file of its own, encoded elsewhere, in any thread. Its column chunks are
appended as they are; only the footer is written anew at the end, with the chunks' new places. So
nothing is decoded or copied twice, however large the file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from gleis.contracts.errors import StoreError
from gleis.store.parquet_footer import MAGIC, closing, join, move, split
from gleis.store.thrift import read_struct, write_struct


class GrowingParquet:
    """Appends encoded parts to one file under a draft's name; ``finish`` makes it the file.

    Parameters
    ----------
    path : Path
        The file to be. Until ``finish`` it is untouched; the draft is beside it.
    size : int
        Bytes of the draft that are known to be good: what is behind them is cut off. 0 starts
        anew.
    named : bool
        Whether it may have its name already: killed at the very end, it is taken back.

    Raises
    ------
    StoreError
        Here and in every method: the file cannot be written, or the draft is shorter than that.
    """

    def __init__(self, path: Path, size: int = 0, *, named: bool = False) -> None:
        self.path = path
        self.draft = path.with_name(f".{path.name}.draft")
        self._hash = hashlib.sha256()
        try:
            if named and size and not self.draft.exists():
                path.replace(self.draft)
            self._file = self.draft.open("r+b" if size else "w+b")
            self._take_up(size)
        except OSError as error:
            raise unwritable(path, error) from error

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def append(self, part: bytes | memoryview) -> bytes:
        """Append the row groups of a whole parquet file of the same schema.

        Returns
        -------
        bytes
            Its footer with places in this file; ``finish`` wants those of all parts.
        """
        body, footer = split(part)
        moved = move(footer, self.size - len(MAGIC))
        self._write(body)
        return write_struct(moved)

    def sync(self) -> int:
        """Wait until all of it is on disk; return its size."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error
        return self.size

    def finish(self, footers: Iterable[bytes], notes: Mapping[str, str]) -> str:
        """Write the footer and give the file its name.

        Parameters
        ----------
        footers : iterable of bytes
            Of all parts, in their order; at least one.
        notes : mapping of str to str
            Metadata to set, by key.

        Returns
        -------
        str
            SHA-256 of the file (hex).
        """
        self._write(closing(join([read_struct(footer) for footer in footers]), notes))
        self.sync()
        self._file.close()
        try:
            self.draft.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise unwritable(self.path, error) from error
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Remove the draft, and a file that an earlier job left in its place."""
        self._file.close()
        self.draft.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the draft as it is, to be taken up again."""
        self._file.close()

    def _take_up(self, size: int) -> None:
        if not size:
            self._write(MAGIC)
            return
        left = size
        while left and (block := self._file.read(min(left, 1 << 20))):
            self._hash.update(block)
            left -= len(block)
        if left:
            raise StoreError(
                f"{self.draft} lost {left} bytes that were on disk",
                remedy="Start anew: --fresh.",
            )
        self._file.truncate()

    def _write(self, content: bytes | memoryview) -> None:
        try:
            self._file.write(content)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._hash.update(content)


def sync_folder(folder: Path) -> None:
    """Wait until names in a folder are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unwritable(path: Path, error: OSError) -> StoreError:
    """Return the error of an output that cannot be written."""
    return StoreError(
        f"{path} cannot be written: {error.strerror or error}",
        remedy="Make room, or make the folder writable; the same command goes on.",
    )
