"""An erasure reaches the other side of a push or pull: what it deleted here is deleted there."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from gleis.lifecycle.sharing.sides import DATASET, MOVED, Side, kind_of
from gleis.store.artifacts import place_of
from gleis.store.objects.artifacts import FOLDER as ARTIFACTS
from gleis.store.objects.patience import Patience
from gleis.store.tables.copying import cut_log

_NEVER = datetime.min.replace(tzinfo=UTC)


class _From(msgspec.Struct, frozen=True):
    """Of the provenance of a dataset version, what holds messages."""

    set_aside: str | None = None


class _Kept(msgspec.Struct, frozen=True):
    """Of a dataset version, or of where its rows are now: their place, and what tells of them."""

    version: int
    table_version: int
    name: str | None = None
    dataset: str | None = None
    profile: str | None = None
    quarantine: str | None = None
    provenance: _From = _From()
    at: datetime | None = None

    @property
    def artifacts(self) -> set[str]:
        """What holds values of rows."""
        return {digest for digest in (self.profile, self.quarantine) if digest is not None}


def forget_there(source: Side, target: Side, name: str, patience: Patience) -> None:
    """Delete at the other side the files, commits and profiles of rows before an erasure.

    Parameters
    ----------
    source : Side
        Where the subject was erased.
    target : Side
        It has been told already where the versions are now.
    name : str
        Name of the dataset; nobody else writes to it.
    patience : Patience
        With tables in a bucket.
    """
    made = _kept(target, DATASET, name)
    moved = sorted(_kept(target, MOVED, name), key=lambda kept: kept.at or _NEVER)
    now = {kept.version: kept for kept in (*made, *moved)}
    places = {kept.version: (kept.table_version, now[kept.version].table_version) for kept in made}
    cut_log(source.objects, target.objects, name, places, patience)
    needed: set[str] = set().union(*(kept.artifacts for kept in now.values()))
    before: set[str] = set().union(*(kept.artifacts for kept in (*made, *moved)))
    for digest in sorted(before - needed):
        target.drop_artifact(digest)
    aside = {kept.provenance.set_aside for kept in made}
    for digest in sorted(one for one in aside if one is not None):
        # Messages that were set aside are deleted without a word in the record.
        if source.objects.size(f"{ARTIFACTS}/{place_of(digest)}") is None:
            target.drop_artifact(digest)


def _kept(side: Side, kind: str, name: str) -> list[_Kept]:
    found = (msgspec.json.decode(body, type=_Kept) for body in side.bodies(kind_of(kind)))
    return [kept for kept in found if name in (kept.name, kept.dataset)]
