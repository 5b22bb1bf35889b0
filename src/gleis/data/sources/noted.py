"""What becomes of a file that cannot be taken: it is noted, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gleis.contracts.errors import DataError
from gleis.data.sources.place import Unsettled
from gleis.data.sources.settled import WRITING
from gleis.data.sources.source import Notes


@contextmanager
def noted(name: str, notes: Notes) -> Iterator[None]:
    """Leave a file that vanishes or is still written, and set one aside that is bad.

    Parameters
    ----------
    name : str
        Of the file that is read in the block.
    notes : Notes
        Where it is written down.
    """
    try:
        yield
    except FileNotFoundError:
        notes.leave(name, "it vanished while it was read")
    except Unsettled:
        notes.leave(name, WRITING)
    except DataError as error:
        looked = notes.looked.get(name)
        notes.set_aside(name, looked.hash if looked is not None else "", error)
