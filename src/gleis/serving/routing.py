"""Which version answers which row while a release runs: a share, sticky by the row's own id."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec

from gleis.contracts.prediction import Batch, Role
from gleis.contracts.release import Release
from gleis.serving.guard import Guard
from gleis.serving.service import Service
from gleis.serving.turns import Group

_SCALE = 2.0**-64


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One version that takes part, for ``/readyz`` and ``/metrics``."""

    version: int
    digest: str
    role: Role
    share: float
    """Share of the rows it is given; for a shadow, who sees them."""


def place(entity: str, key: bytes) -> float:
    """Return where a row id lies between 0 and 1: always the same for the same key.

    Rows below the challenger's share are the challenger's. Another release has another key, so
    that its places have nothing to do with these.

    Parameters
    ----------
    entity : str
    key : bytes
        At most 64 bytes.

    Examples
    --------
    >>> place("AA1", b"first") == place("AA1", b"first")
    True
    >>> 0.45 < sum(place(str(i), b"first") < 0.5 for i in range(2000)) / 2000 < 0.55
    True
    """
    digest = blake2b(entity.encode(), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "little") * _SCALE


class Route:
    """Champion, challenger and release of one moment; exchanged as a whole. A ``turns.Router``.

    Parameters
    ----------
    champion : Service
    release : Release, optional
        The one that runs.
    challenger : Service, optional
        Its challenger, loaded; while it is not, the champion answers everything.
    guard : Guard, optional
        Hears what was answered.
    draw : callable
        Uniform numbers in [0, 1) for rows without an id.
    """

    def __init__(
        self,
        champion: Service,
        release: Release | None = None,
        challenger: Service | None = None,
        guard: Guard | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.champion = champion
        self.release = release
        self.challenger = challenger
        self.guard = guard
        self._draw = draw
        self._all = (Group(champion),)
        splits = release is not None and release.answers and challenger is not None
        self._share = release.share if release is not None and splits else 0.0
        self._key = blake2b(release.id.encode(), digest_size=32).digest() if release else b""

    def split(self, champion: Service, entities: Sequence[str | None]) -> Sequence[Group]:
        """Give each row to the champion or, with the release's share, to the challenger.

        The same id goes to the same version as long as the share stays, and if the share grows
        nobody is taken away from the challenger. A row without id is drawn.
        """
        if champion is not self.champion:
            return (Group(champion),)
        if self.challenger is None or not self._share:
            return self._all
        ours: list[int] = []
        theirs: list[int] = []
        share, key, draw = self._share, self._key, self._draw
        for position, entity in enumerate(entities):
            where = draw() if entity is None else place(entity, key)
            (theirs if where < share else ours).append(position)
        groups = []
        if ours:
            groups.append(Group(champion, ours if theirs else None, "champion", 1.0 - share))
        if theirs:
            groups.append(Group(self.challenger, theirs if ours else None, "challenger", share))
        return groups

    def answered(self, batch: Batch) -> None:
        """Let the guard hear of it."""
        if self.guard is not None:
            self.guard.seen(batch)

    def parts(self) -> list[Part]:
        """Return who takes part, with which share; at most two."""
        found = [_part(self.champion, "champion", 1.0 - self._share)]
        if self.challenger is not None and self._share:
            found.append(_part(self.challenger, "challenger", self._share))
        elif self.release is not None and not self.release.answers:
            looks_on = self.release.challenger
            shadow = Part(version=looks_on.number, digest=looks_on.digest, role="shadow", share=1.0)
            found.append(shadow)
        return found


def _part(service: Service, role: Role, share: float) -> Part:
    version = service.version
    return Part(version=version.number, digest=version.digest, role=role, share=share)
