"""One file that is the whole dataset: it grows, or is written anew."""

from __future__ import annotations

from collections.abc import Iterator

from gleis.contracts.errors import DataError
from gleis.data.sources.formats import shape_of
from gleis.data.sources.noted import noted
from gleis.data.sources.place import Place
from gleis.data.sources.source import Notes, Opening, Part, Portion, Taken


class OneFile:
    """Reads a file whenever its bytes are others than those taken.

    Parameters
    ----------
    opening : Opening
    place : Place
        Finds the file.
    """

    def __init__(self, opening: Opening, place: Place) -> None:
        self._opening = opening
        self._place = place

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return all rows of the file, if it is not as it was taken."""
        opening = self._opening
        shape = shape_of(opening.spec, opening.settings, taken.columns)
        for file in self._place.files(taken, notes):
            part: Part | None = None
            with noted(file.name, notes):
                before = taken.files.get(file.name)
                hash_ = file.hash(before, notes)
                if (before is None or before.hash != hash_) and not notes.is_aside(
                    file.name, hash_
                ):
                    part = file.read(hash_, shape)
            if part is not None:
                yield Portion(parts=(part,), whole=True)
            return
        raise DataError(
            f"The source of {opening.spec.name} is not there",
            seen=opening.where,
            remedy=f"Write it, or mend datasets.{opening.spec.name}.from.",
            field=f"datasets.{opening.spec.name}.from",
        )
