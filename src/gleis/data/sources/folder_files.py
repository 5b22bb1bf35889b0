"""Files of this machine."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from gleis.contracts.dataset import SourceFile
from gleis.contracts.errors import DataError
from gleis.data.sources.formats import READERS, Shape, hash_file, read_file, suffix_of
from gleis.data.sources.place import File, Unsettled, fixed_part, is_passed_over, is_pattern
from gleis.data.sources.settled import settled, stat_of
from gleis.data.sources.source import Looked, Notes, Opening, Part, Taken


class FolderFiles:
    """Finds files by a folder, a pattern or a path.

    Parameters
    ----------
    opening : Opening
        ``where``: a folder, of which it finds the files with a known suffix; a pattern with ``*``,
        ``?``, ``[...]`` or ``**``; or one file.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._where = opening.folder / opening.where

    def files(self, taken: Taken, notes: Notes) -> Iterator[File]:
        """Yield the files in the order of their names."""
        for path, seen in settled(self._paths(notes), wait=self._opening.wait).items():
            yield _FolderFile(path, name_of(path, self._opening.folder), seen)

    def _paths(self, notes: Notes) -> list[Path]:
        if is_pattern(self._opening.where):
            return self._matching()
        if self._opening.where.endswith("/") or self._where.is_dir():
            return self._within(notes)
        return [self._where]

    def _within(self, notes: Notes) -> list[Path]:
        try:
            found = sorted(os.scandir(self._where), key=lambda entry: entry.name)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(
                f"{self._opening.where} cannot be read: {error.strerror}",
                remedy=f"Permit it: chmod a+rx {self._where}",
            ) from error
        paths = [
            Path(one.path) for one in found if one.is_file() and not is_passed_over([one.name])
        ]
        return [path for path in paths if self._is_read(path, notes)]

    def _matching(self) -> list[Path]:
        top = self._opening.folder / fixed_part(self._opening.where)
        found = (Path(path) for path in sorted(glob.glob(str(self._where), recursive=True)))
        return [
            path
            for path in found
            if path.is_file() and not is_passed_over(path.relative_to(top).parts)
        ]

    def _is_read(self, path: Path, notes: Notes) -> bool:
        if suffix_of(path) in READERS:
            return True
        notes.leave(name_of(path, self._opening.folder), "it is no kind of file that is read")
        return False


class _FolderFile:
    """A file; one that is still written (``seen`` is None) can neither be hashed nor read."""

    def __init__(self, path: Path, name: str, seen: Looked | None) -> None:
        self._path = path
        self._seen = seen
        self.name = name
        self.size = seen.size if seen is not None else 0

    def hash(self, before: SourceFile | None, notes: Notes) -> str:
        """Return the hash of its bytes, from the last look if it is as it was."""
        last, seen = notes.looked.get(self.name), self._seen
        if seen is None:
            raise Unsettled
        if last is not None and (last.size, last.changed) == (seen.size, seen.changed):
            return last.hash
        notes.looked.pop(self.name, None)
        hash_ = hash_file(self._path)
        if stat_of(self._path) != seen:
            raise Unsettled
        notes.looked[self.name] = Looked(size=seen.size, changed=seen.changed, hash=hash_)
        return hash_

    def read(self, hash_: str, shape: Shape) -> Part:
        """Return its rows, if it has not changed meanwhile."""
        try:
            frame = read_file(self._path, shape)
        except DataError:
            if stat_of(self._path) != self._seen:
                raise Unsettled from None
            raise
        if stat_of(self._path) != self._seen:
            raise Unsettled
        file = SourceFile(path=self.name, hash=hash_, size=self.size, rows=frame.height)
        return Part(frame=frame, file=file)


def name_of(path: Path, folder: Path) -> str:
    """Return a path as the project names it: relative where it lies within."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
