"""A person erased by another machine of the team: this one's copies go too."""

from __future__ import annotations

import shutil

from gleis.contracts.erasure import KIND
from gleis.store.artifacts import LocalArtifacts
from gleis.store.home import Home
from gleis.store.whole_files import write_whole

_SEEN = "erasures-seen"
"""File of the state folder: up to which fact of the ledger erasures were followed here."""


def drop_erased_copies(home: Home) -> int:
    """Delete copies of artifacts that an erasure deleted from the store since it was last asked.

    Who erases a person deletes from the store what holds rows of theirs, and cannot reach the
    state folders of others, which keep copies. What is not in the store any more goes, and with it
    the marks of ids, which are made again when they are needed.

    Parameters
    ----------
    home : Home

    Returns
    -------
    int
        How many copies were deleted.

    Raises
    ------
    StoreError
        The ledger or the store fails. Asked again it looks again.
    """
    if home.store is None:
        return 0
    last, seen = home.facts.last(KIND), home.folder / _SEEN
    if last == 0 or (seen.exists() and seen.read_text() == str(last)):
        return 0
    copies = LocalArtifacts(home.folder / "artifacts")
    # Copies first: whatever is put meanwhile is in the store before it is copied.
    here = copies.names()
    gone = sorted(set(here) - set(home.artifacts.names())) if here else []
    for digest in gone:
        copies.remove(digest)
    shutil.rmtree(home.folder / "ids", ignore_errors=True)
    write_whole(seen, str(last).encode())
    return len(gone)
