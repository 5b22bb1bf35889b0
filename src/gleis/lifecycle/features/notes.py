"""What an online store knows of a view beside its rows: made from what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from gleis.contracts.features import ViewUse
from gleis.contracts.ports import OnlineStore


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Of one table: a view at one state of its code and columns."""

    version: str
    """Dataset version the rows were made from: ``weather@v3``."""
    at: datetime
    """Moment at which they were the newest known."""
    next: datetime | None
    """Moment at which a row of that version becomes known next; None: all are."""
    entity: tuple[str, ...]
    features: tuple[str, ...]
    code: str = ""
    """Hash of the code the view reaches; none in what gleis 0.1 wrote, and so for the next ones."""
    event: str = ""
    known: str = ""
    own: bool = True
    """Whether the project's view, as it is, made the rows; False: as a model knows it."""
    left: datetime | None = None
    """Since when neither the project nor a model needs it; None: one does."""


def read_note(store: OnlineStore, table: str) -> Note | None:
    """Return the note about a table; None if it has none."""
    body = store.note(table)
    return None if body is None else msgspec.msgpack.decode(body, type=Note)


def write_note(store: OnlineStore, table: str, note: Note) -> None:
    """Note something about a table."""
    store.write_note(table, msgspec.msgpack.encode(note))


def notes_of(store: OnlineStore) -> Iterator[tuple[str, Note]]:
    """Yield every table and its note, sorted by name."""
    for table in store.tables():
        note = read_note(store, table)
        if note is not None:
            yield table, note


def find_note(store: OnlineStore, use: ViewUse) -> tuple[str, Note] | None:
    """Return the newest table that a view of the project made with this code, and its note.

    Parameters
    ----------
    store : OnlineStore
    use : ViewUse
        Its ``features`` and ``kinds`` are not looked at: only a call of the view tells them.
    """
    found = [
        (table, note)
        for table, note in notes_of(store)
        if note.own
        and table.startswith(f"{use.view}@")
        and (note.code, note.event, note.known) == (use.code, use.event, use.known)
    ]
    return max(found, key=lambda pair: pair[1].at, default=None)
