"""The two sides of a push or pull: a project's ledger, and the facts beside a remote's objects."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from gleis.contracts import erasure
from gleis.contracts.carried import Carried, Origin
from gleis.contracts.clock import Clock
from gleis.contracts.dataset import DatasetVersion, Moved, Removal, VersionName
from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.errors import BlockedError, StoreError
from gleis.contracts.run import Run
from gleis.data import marks, versions
from gleis.lifecycle.person import person
from gleis.registry import deployments
from gleis.registry import versions as registered
from gleis.store.artifacts import place_of
from gleis.store.home import Home
from gleis.store.objects.artifacts import FOLDER as ARTIFACTS
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.moving import side_by_side
from gleis.store.objects.objects import Objects
from gleis.store.objects.owner import read_owner

DATASET, REMOVED, MOVED = versions.KIND, marks.REMOVED, marks.MOVED
VERSION, DEPLOYMENT = registered.KIND, deployments.KIND
RUN = "run"
PULLED = "pulled"
"""Kind of the facts that say where another fact came from."""
_FORMAT = 1
_MARKER = "gleis.json"


class _Marker(msgspec.Struct, frozen=True, kw_only=True):
    remote: int
    """Format."""
    project: str


class Kind(NamedTuple):
    """A kind of facts that travels."""

    name: str
    part: str
    """What it belongs to: datasets, runs, packages, or live."""
    once: bool
    """Whether there is one fact a key, for ever; else the newest counts."""
    shape: Any
    """Type of its body."""


KINDS = (
    Kind(DATASET, "datasets", once=True, shape=DatasetVersion),
    Kind(versions.VOUCHED, "datasets", once=True, shape=bool),
    Kind(marks.NAMED, "datasets", once=True, shape=VersionName),
    Kind(REMOVED, "datasets", once=False, shape=Removal),
    Kind(MOVED, "datasets", once=False, shape=Moved),
    Kind(erasure.KIND, "datasets", once=True, shape=erasure.Erasure),
    Kind(RUN, "runs", once=False, shape=Run),
    Kind(VERSION, "packages", once=True, shape=Version),
    Kind(DEPLOYMENT, "live", once=True, shape=Deployment),
)
"""In the order in which they are written: what is named comes before what names it."""


class Side(Protocol):
    """Where facts and the objects they name are."""

    objects: Objects

    def facts(self, kind: Kind) -> list[Carried]:
        """Return the facts of a kind, the newest of each key, in the order they were made."""
        ...

    def find(self, facts: Sequence[Carried], kind: Kind) -> list[Carried | None]:
        """Return of each fact itself, if it is there; or another one that has its place."""
        ...

    def add(self, fact: Carried, kind: Kind) -> bool:
        """Write a fact; return False if another one has its place by now."""
        ...

    def bodies(self, kind: Kind) -> list[bytes]:
        """Return the bodies of all facts of a kind, those that do not count any more too."""
        ...

    def drop_artifact(self, digest: str) -> None:
        """Delete an artifact, if it is there."""
        ...


class LedgerSide:
    """A project.

    Parameters
    ----------
    home : Home
    clock : Clock
    remote : str
        The other side, for the origin of what comes.
    """

    def __init__(self, home: Home, clock: Clock, remote: str) -> None:
        self.objects = open_objects(home.store or str(home.folder), home.patience)
        self._home = home
        self._facts = home.facts
        self._clock = clock
        self._remote = remote

    def facts(self, kind: Kind) -> list[Carried]:
        """Return the facts of a kind, the newest of each key, in the order they were made."""
        now, by = self._clock.now(), person()
        found = ((key, self._facts.latest(kind.name, key)) for key in self._facts.keys(kind.name))
        return [_carried(kind.name, key, body, by, now) for key, body in found if body is not None]

    def find(self, facts: Sequence[Carried], kind: Kind) -> list[Carried | None]:
        """Return of each fact itself, if it is there; or another one that has its place."""
        if not kind.once:
            known = {_hash(body) for body in self._facts.all(kind.name)}
            return [fact if fact.sha256 in known else None for fact in facts]
        now, by = self._clock.now(), person()
        bodies = [self._facts.latest(fact.kind, fact.key) for fact in facts]
        return [
            None if body is None else _carried(fact.kind, fact.key, body, by, now)
            for fact, body in zip(facts, bodies, strict=True)
        ]

    def add(self, fact: Carried, kind: Kind) -> bool:
        """Append where the fact came from, then the fact itself."""
        now = self._clock.now()
        origin = Origin(
            kind=fact.kind,
            key=fact.key,
            sha256=fact.sha256,
            by=fact.by,
            pushed_at=fact.at,
            remote=self._remote,
        )
        key = f"{fact.kind}/{fact.key}/{fact.sha256[:16]}"
        self._facts.append_once(PULLED, key, msgspec.json.encode(origin), now)
        body = bytes(fact.body)
        if not kind.once:
            self._facts.append(fact.kind, fact.key, body, now)
            return True
        added = self._facts.append_once(fact.kind, fact.key, body, now)
        return added or self._facts.latest(fact.kind, fact.key) == body

    def bodies(self, kind: Kind) -> list[bytes]:
        """Return the bodies of all facts of a kind."""
        return list(self._facts.all(kind.name))

    def drop_artifact(self, digest: str) -> None:
        """Delete an artifact, if it is there."""
        self._home.artifacts.remove(digest)


class RemoteSide:
    """Facts as objects: ``facts/dataset/weather@v3.json``; where the newest counts, one a body.

    A fact is created last, when everything it names is there, and by a conditional put: of two that
    give the same number to different things, one succeeds.

    Parameters
    ----------
    objects : Objects
    """

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def open(self, project: str, *, new: bool = False, make: bool = False) -> None:
        """See that this is the remote of a project.

        Parameters
        ----------
        project : str
        new : bool
            An empty place will do.
        make : bool
            Make it the remote of this project.

        Raises
        ------
        StoreError
            It is none, or another project's, or of a later version of gleis.
        """
        ours = msgspec.json.encode(_Marker(remote=_FORMAT, project=project))
        marker = self.objects.get(_MARKER)
        if marker is None and make:
            self.objects.create(_MARKER, ours)
            marker = self.objects.get(_MARKER)
        if marker is None:
            if new:
                return
            raise StoreError(
                "Nobody has pushed here yet",
                seen=self.objects.url,
                remedy="Push from where the runs are: gleis push; or name the right place.",
            )
        found = _read_marker(marker, self.objects.url)
        if found.project != project:
            raise StoreError(
                f"This is the remote of the project {found.project}, and this project is {project}",
                seen=self.objects.url,
                remedy="Give each project a prefix of its own: remote in gleis.toml.",
            )

    def refuse_store_of_others(self, ledger: str | None) -> None:
        """Refuse to write where another ledger keeps its objects.

        Raises
        ------
        BlockedError
            It is the store of another ledger.
        """
        owner = read_owner(self.objects)
        if owner is not None and owner.ledger != ledger:
            raise BlockedError(
                f"{self.objects.url} is the store of another ledger, {owner.place}, and no remote",
                seen=owner.ledger,
                remedy="Push to a prefix of its own, and pull from there.",
                field="remote",
            )

    def facts(self, kind: Kind) -> list[Carried]:
        """Return the facts of a kind, the newest of each key, in the order they were pushed."""
        keys = [found.key for found in self.objects.list(f"facts/{kind.name}")]
        found = sorted(side_by_side(self._read, keys), key=lambda fact: fact.at)
        for fact in found:
            _check_shape(fact, kind, self.objects.url)
        return list({fact.key: fact for fact in found}.values())

    def find(self, facts: Sequence[Carried], kind: Kind) -> list[Carried | None]:
        """Return of each fact itself, if it is there; or another one that has its place."""
        names = {found.key for found in self.objects.list(f"facts/{kind.name}")}

        def look(fact: Carried) -> Carried | None:
            place = _place(fact, kind)
            if place not in names:
                return None
            return self._read(place) if kind.once else fact

        return side_by_side(look, facts)

    def add(self, fact: Carried, kind: Kind) -> bool:
        """Create the object of a fact."""
        place = _place(fact, kind)
        return (
            self.objects.create(place, msgspec.json.encode(fact))
            or self._read(place).sha256 == fact.sha256
        )

    def bodies(self, kind: Kind) -> list[bytes]:
        """Return the bodies of all facts of a kind."""
        keys = [found.key for found in self.objects.list(f"facts/{kind.name}")]
        return [bytes(fact.body) for fact in side_by_side(self._read, keys)]

    def drop_artifact(self, digest: str) -> None:
        """Delete an artifact, if it is there."""
        self.objects.delete(f"{ARTIFACTS}/{place_of(digest)}")

    def _read(self, key: str) -> Carried:
        content = self.objects.get(key)
        try:
            fact = msgspec.json.decode(content or b"", type=Carried)
        except msgspec.DecodeError as error:
            raise _damaged(key, self.objects.url) from error
        places = {_place(fact, kind) for kind in KINDS if kind.name == fact.kind}
        if _hash(bytes(fact.body)) != fact.sha256 or key not in places:
            raise _damaged(key, self.objects.url)
        return fact


def _read_marker(content: bytes, url: str) -> _Marker:
    try:
        found = msgspec.json.decode(content, type=_Marker)
    except msgspec.DecodeError:
        found = None
    if found is None or found.remote != _FORMAT:
        raise StoreError(
            "This is no remote that this version of gleis can read",
            seen=url,
            remedy="Upgrade gleis, or name another place.",
        )
    return found


def _carried(kind: str, key: str, body: bytes, by: str, at: datetime) -> Carried:
    return Carried(kind=kind, key=key, body=msgspec.Raw(body), sha256=_hash(body), by=by, at=at)


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _check_shape(fact: Carried, kind: Kind, url: str) -> None:
    """Refuse what this version cannot read: in a ledger it would stay, and stop every reader."""
    try:
        msgspec.json.decode(fact.body, type=kind.shape)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"{fact.kind} {fact.key} was pushed by another version of gleis and cannot be read: "
            f"{error}",
            seen=url,
            remedy="Upgrade gleis here or where it was pushed.",
        ) from error


def kind_of(name: str) -> Kind:
    """Return a kind of facts by its name."""
    return next(kind for kind in KINDS if kind.name == name)


def _place(fact: Carried, kind: Kind) -> str:
    name = re.sub(r"[^A-Za-z0-9._@-]", lambda found: _escaped(found.group()), fact.key)
    return f"facts/{fact.kind}/{name}{'' if kind.once else f'/{fact.sha256[:16]}'}.json"


def _escaped(text: str) -> str:
    return "".join(f"={byte:02X}" for byte in text.encode())


def _damaged(key: str, url: str) -> StoreError:
    return StoreError(
        f"A fact at {url} is damaged",
        seen=key,
        remedy="Delete it there, and push it again from where it was made.",
    )
