"""Files that are taken once each: a drop folder, or a pattern of names."""

from __future__ import annotations

from collections.abc import Iterator

from gleis.data.sources.formats import Shape, shape_of
from gleis.data.sources.noted import noted
from gleis.data.sources.place import File, Place
from gleis.data.sources.source import Notes, Opening, Part, Portion, Taken

_ROWS = 1_000_000
"""Rows after which a portion is closed."""
_FILES = 1000
"""Files after which it is."""


class Files:
    """Takes each file once, in the order of their names.

    A file is known by its name and its bytes. One that changed after it was taken is told and not
    taken again, since its rows may be in the dataset already; nor is one with the bytes of
    another: it is that one, moved or copied.

    Parameters
    ----------
    opening : Opening
    place : Place
        Finds the files.
    """

    def __init__(self, opening: Opening, place: Place) -> None:
        self._opening = opening
        self._place = place

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return the rows of new files, a million or so at a time."""
        shape = shape_of(self._opening.spec, self._opening.settings, taken.columns)
        reading = _Reading(taken, notes, shape)
        parts: list[Part] = []
        rows, found = 0, False
        for file in self._place.files(taken, notes):
            found = True
            part = reading.part(file)
            if part is None:
                continue
            parts.append(part)
            rows += part.frame.height
            if len(parts) >= _FILES or rows >= _ROWS:
                yield Portion(parts=tuple(parts))
                parts, rows = [], 0
        if rows:
            yield Portion(parts=tuple(parts))
        if not found and not taken.files:
            notes.leave(self._opening.where, "there is no such file yet")


class _Reading:
    """One look at files."""

    def __init__(self, taken: Taken, notes: Notes, shape: Shape) -> None:
        self._taken = taken
        self._notes = notes
        self._shape = shape
        self._bytes = {file.hash: file.path for file in taken.files.values() if file.rows}

    def part(self, file: File) -> Part | None:
        """Read a file; None if it is known, or cannot be taken."""
        found: Part | None = None
        with noted(file.name, self._notes):
            found = self._part(file)
        return found  # noqa: RET504 - None where that was noted

    def _part(self, file: File) -> Part | None:
        name, notes = file.name, self._notes
        before = self._taken.files.get(name)
        hash_ = file.hash(before, notes)
        if before is not None:
            if before.hash != hash_:
                notes.leave(name, "it changed after it was taken; what it holds now is not in")
            return None
        if notes.is_aside(name, hash_):
            return None
        if not file.size:
            notes.leave(name, "it is empty")
            return None
        if hash_ in self._bytes:
            notes.leave(name, f"it holds the bytes of {self._bytes[hash_]}, which is in")
            return None
        part = file.read(hash_, self._shape)
        if part.frame.height:
            self._bytes[hash_] = name
        return part
