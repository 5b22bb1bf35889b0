"""One file that is the whole dataset: it grows, or is written anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gleis.contracts.errors import DataError
from gleis.data.sources.files import Unsettled, known_hash, name_of, read_part
from gleis.data.sources.formats import shape_of
from gleis.data.sources.settled import WRITING, settled
from gleis.data.sources.source import Notes, Opening, Portion, Taken


class OneFile:
    """Reads a file whenever its bytes are others than those taken.

    Parameters
    ----------
    opening : Opening
        ``where``: a path.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._path: Path = opening.folder / opening.where

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return all rows of the file, if it is not as it was taken."""
        opening = self._opening
        name = name_of(self._path, opening.folder)
        looked = settled([self._path], wait=opening.wait)
        if self._path not in looked:
            raise DataError(
                f"The source of {opening.spec.name} is not there",
                seen=name,
                remedy=f"Write it, or mend datasets.{opening.spec.name}.from.",
                field=f"datasets.{opening.spec.name}.from",
            )
        seen = looked[self._path]
        if seen is None:
            notes.leave(name, WRITING)
            return
        shape = shape_of(opening.spec, opening.settings, taken.columns)
        try:
            hash_ = known_hash(self._path, name, seen, notes)
            before = taken.files.get(name)
            if (before is not None and before.hash == hash_) or notes.is_aside(name, hash_):
                return
            part = read_part(self._path, name, hash_, seen, shape)
        except FileNotFoundError:
            notes.leave(name, "it vanished while it was read")
        except Unsettled:
            notes.leave(name, WRITING)
        except DataError as error:
            hash_ = notes.looked[name].hash if name in notes.looked else ""
            notes.set_aside(name, hash_, error)
        else:
            yield Portion(parts=(part,), whole=True)
