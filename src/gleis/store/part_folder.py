"""A folder of parquet files, one a part, that can be taken up again after a kill."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from gleis.contracts.errors import StoreError
from gleis.store.growing_parquet import sync_folder, unwritable
from gleis.store.parquet_footer import MAGIC, closing, split
from gleis.store.thrift import write_struct


class PartFolder:
    """Writes encoded parts as files; each has its name only when it is whole.

    The twin of ``GrowingParquet``: its size counts parts.

    Parameters
    ----------
    path : Path
        The folder; made if it is not there.
    size : int
        Parts that are known to be good; others are removed.
    notes : mapping of str to str
        Metadata to set in every file.

    Raises
    ------
    StoreError
        Here and in every method: the folder cannot be written, or lacks one of those parts.
    """

    def __init__(self, path: Path, size: int, notes: Mapping[str, str]) -> None:
        self.path = path
        self.size = size
        self._notes = notes
        self._hash = hashlib.sha256()
        good = [self._name(at) for at in range(size)]
        try:
            path.mkdir(parents=True, exist_ok=True)
            for found in (*path.glob("part-*.parquet"), *path.glob(".part-*.draft")):
                if found not in good:
                    found.unlink()
            for part in good:
                self._hash.update(part.read_bytes())
        except FileNotFoundError as error:
            raise StoreError(
                f"{error.filename} is gone, though it was written", remedy="Start anew: --fresh."
            ) from None
        except OSError as error:
            raise unwritable(path, error) from error

    def append(self, part: bytes | memoryview) -> bytes:
        """Write a part, on disk when this returns; return its footer."""
        body, footer = split(part)
        draft = self.path / f".part-{self.size:05d}.draft"
        try:
            with draft.open("wb") as file:
                for content in (MAGIC, body, closing(footer, self._notes)):
                    file.write(content)
                    self._hash.update(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._name(self.size))
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.size += 1
        return write_struct(footer)

    def sync(self) -> int:
        """Wait until the names are on disk, too; return the number of parts."""
        try:
            sync_folder(self.path)
        except OSError as error:
            raise unwritable(self.path, error) from error
        return self.size

    def finish(self, footers: Iterable[bytes], notes: Mapping[str, str]) -> str:
        """Return the SHA-256 (hex) of all files, one behind the other."""
        self.sync()
        return self._hash.hexdigest()

    def close(self) -> None:
        """Leave the parts as they are, to be taken up again."""

    def _name(self, at: int) -> Path:
        return self.path / f"part-{at:05d}.parquet"
