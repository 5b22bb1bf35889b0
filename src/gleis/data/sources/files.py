"""Files that are taken once each: a drop folder, or a pattern of names."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from gleis.contracts.dataset import SourceFile
from gleis.contracts.errors import DataError
from gleis.data.sources.formats import READERS, Shape, hash_file, read_file, shape_of, suffix_of
from gleis.data.sources.settled import WRITING, is_unfinished, settled, stat_of
from gleis.data.sources.source import Looked, Notes, Opening, Part, Portion, Taken

_ROWS = 1_000_000
"""Rows after which a portion is closed."""
_FILES = 1000
"""Files after which it is."""


class Files:
    """Takes each file once, in the order of their names.

    A file is known by its path and its bytes: one that changed after it was taken is told and not
    taken again, since its rows may be in the dataset already.

    Parameters
    ----------
    opening : Opening
        ``where``: a folder, of which it takes the files with a known suffix, or a pattern with
        ``*``, ``?``, ``[...]`` or ``**``.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return the rows of new files, a million or so at a time."""
        shape = shape_of(self._opening.spec, self._opening.settings, taken.columns)
        parts: list[Part] = []
        for path, seen in settled(self._paths(notes), wait=self._opening.wait).items():
            name = name_of(path, self._opening.folder)
            if seen is None:
                notes.leave(name, WRITING)
                continue
            part = self._part(path, name, seen, shape, taken, notes)
            if part is None:
                continue
            parts.append(part)
            if len(parts) >= _FILES or sum(one.frame.height for one in parts) >= _ROWS:
                yield Portion(parts=tuple(parts))
                parts = []
        if any(part.frame.height for part in parts):
            yield Portion(parts=tuple(parts))

    def _paths(self, notes: Notes) -> list[Path]:
        where = self._opening.folder / self._opening.where
        if where.is_dir():
            return [
                Path(entry.path)
                for entry in sorted(os.scandir(where), key=lambda entry: entry.name)
                if entry.is_file()
                and not is_unfinished(Path(entry.name))
                and self._is_read(Path(entry.path), notes)
            ]
        found = (Path(path) for path in sorted(glob.glob(str(where), recursive=True)))
        return [path for path in found if path.is_file() and not is_unfinished(path)]

    def _is_read(self, path: Path, notes: Notes) -> bool:
        if suffix_of(path) in READERS:
            return True
        notes.leave(name_of(path, self._opening.folder), "it is no kind of file that is read")
        return False

    def _part(
        self, path: Path, name: str, seen: Looked, shape: Shape, taken: Taken, notes: Notes
    ) -> Part | None:
        """Read a file; None if it is known, or cannot be taken."""
        try:
            hash_ = known_hash(path, name, seen, notes)
            before = taken.files.get(name)
            if before is not None:
                if before.hash != hash_:
                    notes.leave(name, "it changed after it was taken; what it holds now is not in")
                return None
            if notes.is_aside(name, hash_):
                return None
            if not seen.size:
                notes.leave(name, "it is empty")
                return None
            return read_part(path, name, hash_, seen, shape)
        except FileNotFoundError:
            notes.leave(name, "it vanished while it was read")
        except Unsettled:
            notes.leave(name, WRITING)
        except DataError as error:
            hash_ = notes.looked[name].hash if name in notes.looked else ""
            notes.set_aside(name, hash_, error)
        return None


class Unsettled(Exception):  # noqa: N818 - caught here, nobody is told of it
    """A file changed while it was read."""


def read_part(path: Path, name: str, hash_: str, seen: Looked, shape: Shape) -> Part:
    """Read a file that has not changed meanwhile.

    Raises
    ------
    DataError
        It cannot be read.
    FileNotFoundError
        It vanished.
    Unsettled
        It is still being written.
    """
    try:
        frame = read_file(path, shape)
    except DataError:
        if stat_of(path) != seen:
            raise Unsettled from None
        raise
    if stat_of(path) != seen:
        raise Unsettled
    file = SourceFile(path=name, hash=hash_, size=seen.size, rows=frame.height)
    return Part(frame=frame, file=file)


def name_of(path: Path, folder: Path) -> str:
    """Return a path as the project names it: relative where it lies within."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def known_hash(path: Path, name: str, seen: Looked, notes: Notes) -> str:
    """Return a file's hash, from the last look if it is as it was."""
    last = notes.looked.get(name)
    if last is not None and (last.size, last.changed) == (seen.size, seen.changed):
        return last.hash
    notes.looked.pop(name, None)
    hash_ = hash_file(path)
    if stat_of(path) != seen:
        raise Unsettled
    notes.looked[name] = Looked(size=seen.size, changed=seen.changed, hash=hash_)
    return hash_
