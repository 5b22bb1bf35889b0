"""From one side to the other: what is new there, in an order in which half of it never counts.

Content first, then the commits of tables, then the facts that name both. A process that dies leaves
content that nobody names; the next attempt finds it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from gleis.contracts.carried import Carried
from gleis.contracts.deployment import Version
from gleis.contracts.errors import PackageError, RacedError
from gleis.lifecycle.sharing.forgotten import forget_there
from gleis.lifecycle.sharing.selection import Selection
from gleis.lifecycle.sharing.sides import (
    DATASET,
    DEPLOYMENT,
    KINDS,
    MOVED,
    REMOVED,
    RUN,
    VERSION,
    Kind,
    Side,
)
from gleis.store.artifacts import place_of
from gleis.store.objects.artifacts import FOLDER as ARTIFACTS
from gleis.store.objects.moving import Item, move, side_by_side
from gleis.store.objects.objects import Listed
from gleis.store.objects.packages import FOLDER as PACKAGES
from gleis.store.objects.packages import MANIFEST, NOTE
from gleis.store.objects.patience import Patience
from gleis.store.tables.copying import files_of, missing_files, move_log, prefix_of, still_ours

_HASH = re.compile(rb'"([0-9a-f]{64})"')
Writing = Callable[[str], AbstractContextManager[object]]
"""Lets nobody else write to a dataset at the other side for a while, by its name."""


class _Table(msgspec.Struct, frozen=True):
    """Of a dataset version: where its rows are."""

    version: int
    table_version: int


class _Removal(msgspec.Struct, frozen=True):
    version: int
    removed: bool


class Plan(msgspec.Struct, kw_only=True):
    """What is to be moved."""

    facts: list[tuple[Kind, Carried]]
    """New ones, in the order in which they are written."""
    known: int
    """Facts that are at the other side already."""
    items: list[Item]
    """Content that must be there before."""
    last: list[Item]
    """Content that makes other content whole: manifests."""
    tables: dict[str, int]
    """Dataset -> table version up to which its log is moved."""
    places: dict[str, dict[int, int]]
    """Dataset -> version that is not removed -> table version that holds its rows now."""

    @property
    def moved(self) -> set[str]:
        """Datasets whose rows were written anew, because somebody was erased."""
        return {_dataset_of(fact) or "" for kind, fact in self.facts if kind.name == MOVED}

    @property
    def size(self) -> int:
        """Bytes of what is missing."""
        return sum(item.size for item in (*self.items, *self.last) if not item.there)


class Transfer:
    """One push or pull.

    Parameters
    ----------
    source, target : Side
    selection : Selection
    patience : Patience
        With tables in a bucket.
    """

    def __init__(
        self, source: Side, target: Side, selection: Selection, patience: Patience
    ) -> None:
        self._source = source
        self._target = target
        self._selection = selection
        self._patience = patience

    def plan(self) -> Plan:
        """Compare both sides.

        Raises
        ------
        RacedError
            Both have given the same number to different things. Nothing was moved.
        """
        facts = {kind.name: self._source.facts(kind) for kind in KINDS if self._wanted(kind)}
        new: list[tuple[Kind, Carried]] = []
        conflicts: list[tuple[Carried, Carried]] = []
        known = 0
        for kind in KINDS:
            selected = self._select(kind, facts)
            there = self._target.find(selected, kind) if selected else []
            for fact, other in zip(selected, there, strict=True):
                if other is None:
                    new.append((kind, fact))
                elif other.sha256 != fact.sha256:
                    conflicts.append((fact, other))
                else:
                    known += 1
        if conflicts:
            raise conflict(conflicts, self._target.objects.url)
        self._check_live(new)
        return self._gather(new, known, facts)

    def carry_out(
        self, plan: Plan, seen: Callable[[int], None], writing: Writing, *, alone: bool
    ) -> None:
        """Move what a plan says.

        Parameters
        ----------
        plan : Plan
        seen : callable
            Told how many bytes more are at the other side.
        writing : callable
            Gives the right to write to a dataset there.
        alone : bool
            Whether that right is exclusive.

        Raises
        ------
        StoreError
            A side fails. What was moved is not moved again.
        RacedError
            Somebody was quicker.
        """
        source, target = self._source.objects, self._target.objects
        digests = move(source, target, plan.items, seen)
        move(source, target, plan.last, seen)
        for name, until in plan.tables.items():
            with writing(name):
                self._check_again(plan, name)
                recorded = max(self._places(self._target, name).values(), default=-1)
                move_log(source, target, name, until, recorded, alone=alone)
                self._write(plan, name, digests)
                if name in plan.moved:
                    forget_there(self._source, self._target, name, self._patience)
        self._write(plan, None, digests)

    def _check_again(self, plan: Plan, name: str) -> None:
        """See that nobody recorded another version of a dataset since the sides were compared."""
        for kind, fact in plan.facts:
            if kind.name == DATASET and _dataset_of(fact) == name:
                other = self._target.find([fact], kind)[0]
                if other is not None and other.sha256 != fact.sha256:
                    raise conflict([(fact, other)], self._target.objects.url)

    def _write(self, plan: Plan, dataset: str | None, digests: dict[str, str]) -> None:
        """Write the facts of a dataset; with None, all the others."""
        prefix = "" if dataset is None else f"{prefix_of(dataset)}/"
        hashes = {key: digest for key, digest in digests.items() if key.startswith(prefix)}
        for kind, fact in plan.facts:
            mine = _dataset_of(fact) if kind.part == "datasets" else None
            if (mine if mine in plan.tables else None) != dataset:
                continue
            if fact.kind == DATASET and mine is not None:
                self._check_commit(mine, plan.places[mine].get(_number_of(fact)))
                # The first of them vouches for the files of all.
                fact = msgspec.structs.replace(fact, files=fact.files or hashes)  # noqa: PLW2901
                hashes = {}
            if not self._target.add(fact, kind):
                other = self._target.find([fact], kind)[0]
                raise conflict([(fact, other or fact)], self._target.objects.url)

    def _check_commit(self, name: str, version: int | None) -> None:
        """See that the commit a fact names is there still: a push may have slept for hours."""
        if version is not None and not still_ours(
            self._source.objects, self._target.objects, name, version
        ):
            raise RacedError(
                f"Somebody else pushed {name} meanwhile",
                seen=self._target.objects.url,
                remedy="Pull, then push again.",
            )

    def _wanted(self, kind: Kind) -> bool:
        return kind.part != "live" or "live" in self._selection.parts

    def _check_live(self, new: list[tuple[Kind, Carried]]) -> None:
        """Refuse to mix two histories of what was live."""
        coming = [(kind, fact) for kind, fact in new if kind.name == DEPLOYMENT]
        if not coming:
            return
        kind = coming[0][0]
        ours = {fact.sha256 for fact in self._source.facts(kind)}
        if any(fact.sha256 not in ours for fact in self._target.facts(kind)):
            raise RacedError(
                "Both sides have a history of their own of what was live",
                seen=self._target.objects.url,
                remedy="Leave --live out, and promote by hand what shall be live: gleis promote.",
            )

    def _select(self, kind: Kind, facts: dict[str, list[Carried]]) -> list[Carried]:
        chosen = self._selection
        found = facts.get(kind.name, [])
        if kind.part == "datasets":
            return [fact for fact in found if _is_of_datasets(fact, chosen)]
        if kind.name == VERSION:
            return [fact for fact in found if chosen.has_version(int(fact.key))]
        if kind.name == RUN:
            registered = {
                msgspec.json.decode(fact.body, type=Version).run
                for fact in facts[VERSION]
                if chosen.has_version(int(fact.key))
            }
            return [fact for fact in found if chosen.has_run(fact.key, registered)]
        return found

    def _gather(
        self, new: list[tuple[Kind, Carried]], known: int, facts: dict[str, list[Carried]]
    ) -> Plan:
        plan = Plan(facts=new, known=known, items=[], last=[], tables={}, places={})
        bodies = [bytes(fact.body) for _, fact in new]
        plan.items += self._artifacts(bodies)
        for version in [fact for kind, fact in new if kind.name == VERSION]:
            *files, manifest = self._package(msgspec.json.decode(version.body, type=Version))
            plan.items += files
            plan.last.append(manifest)
        tables = {_dataset_of(fact) for _, fact in new if fact.kind in (DATASET, MOVED)}
        for name in sorted(name for name in tables if name is not None):
            self._plan_table(plan, name, facts)
        return plan

    def _plan_table(self, plan: Plan, name: str, facts: dict[str, list[Carried]]) -> None:
        fresh = {
            _number_of(fact)
            for _, fact in plan.facts
            if fact.kind in (DATASET, MOVED) and _dataset_of(fact) == name
        }
        places = plan.places[name] = _places_of(facts, name)
        needed = {places[number] for number in fresh if number in places}
        hashes: dict[str, str] = {}
        for fact in facts[DATASET]:
            if _dataset_of(fact) == name:
                hashes |= fact.files
        if needed:
            files = files_of(self._source.objects, name, needed, self._patience)
            plan.items += missing_files(self._target.objects, name, files, hashes)
        recorded = _recorded(facts, name)
        plan.tables[name] = max(
            (recorded[number] for number in fresh if number in recorded), default=-1
        )

    def _places(self, side: Side, name: str) -> dict[int, int]:
        """Return the table version of each dataset version that a side has recorded."""
        kinds = [kind for kind in KINDS if kind.name in (DATASET, MOVED)]
        return _recorded({kind.name: side.facts(kind) for kind in kinds}, name)

    def _artifacts(self, bodies: Iterable[bytes]) -> list[Item]:
        """Return the artifacts that facts name: whatever looks like a hash and is one there."""
        named = sorted({found.decode() for body in bodies for found in _HASH.findall(body)})
        keys = [f"{ARTIFACTS}/{place_of(digest)}" for digest in named]
        sizes = side_by_side(self._source.objects.size, keys)
        pairs = [
            (digest, key, size)
            for digest, key, size in zip(named, keys, sizes, strict=True)
            if size is not None
        ]
        there = side_by_side(self._target.objects.size, [key for _, key, _ in pairs])
        return [
            Item(key, size, digest, size == other)
            for (digest, key, size), other in zip(pairs, there, strict=True)
        ]

    def _package(self, version: Version) -> list[Item]:
        """Return the files of a package, its manifest last."""
        prefix = f"{PACKAGES}/{version.digest[:16]}"
        listed = {found.key: found for found in self._source.objects.list(prefix)}
        manifest = listed.pop(f"{prefix}/{MANIFEST}", None)
        if manifest is None:
            raise PackageError(
                f"The package of version {version.number} is not at {self._source.objects.url}",
                seen=prefix,
                remedy="Restore it from a backup, build it again with gleis run, or leave it out: "
                "--only datasets --only runs.",
            )
        there = {found.key: found.size for found in self._target.objects.list(prefix)}
        hashes = read_hashes(self._source.objects.get(manifest.key) or b"", prefix)
        files = [found for key, found in sorted(listed.items()) if not key.endswith(f"/{NOTE}")]
        return [_item(found, hashes, there) for found in (*files, manifest)]


def conflict(found: list[tuple[Carried, Carried]], url: str) -> RacedError:
    """Say that both sides have given the same number to different things."""
    told = "; ".join(_told(fact, other) for fact, other in found[:5])
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return RacedError(
        f"Both sides have made something of their own under one number: {told}{more}",
        seen=url,
        remedy="Nothing was moved, and nothing is lost. To have both: bring one of them to another "
        "place (gleis push --to URL), or pull into another state folder (GLEIS_STATE=.gleis-team "
        "gleis pull) and make yours anew there (gleis data add, gleis run).",
    )


def _told(fact: Carried, other: Carried) -> str:
    what = {DATASET: fact.key, VERSION: f"version {fact.key}"}.get(
        fact.kind, f"{fact.kind} {fact.key}"
    )
    return f"{what} ({_made(fact)}, and {_made(other)})"


def _made(fact: Carried) -> str:
    body: dict[str, Any] = msgspec.json.decode(fact.body)
    if fact.kind == DATASET:
        made = body["provenance"]
        return f"{body['rows']:,} rows by {made['loaded_by']} at {made['loaded_at'][:16]}"
    if fact.kind == VERSION:
        return f"run {body['run']} at {body['registered_at'][:16]}"
    return f"by {fact.by}"


def read_hashes(manifest: bytes, prefix: str) -> dict[str, str]:
    """Return key -> SHA-256 of a package's files."""
    listed = msgspec.json.decode(manifest)["files"]
    return {f"{prefix}/{name}": entry["sha256"] for name, entry in listed.items()}


def _item(found: Listed, hashes: dict[str, str], there: dict[str, int]) -> Item:
    return Item(found.key, found.size, hashes.get(found.key), there.get(found.key) == found.size)


def _dataset_of(fact: Carried) -> str | None:
    name, at, _ = fact.key.partition("@")
    return name if at else None


def _number_of(fact: Carried) -> int:
    return int(msgspec.json.decode(fact.body, type=_Table).version)


def _is_of_datasets(fact: Carried, chosen: Selection) -> bool:
    name, at, rest = fact.key.partition("@")
    found = re.match(r"v(\d+)(?::|$)", rest)
    if found is None:  # the name of a version, or an erasure, which goes with any dataset
        named = name in chosen.datasets if at else bool(chosen.datasets)
        return named or "datasets" in chosen.parts
    return chosen.has_dataset(name, int(found.group(1)))


def _recorded(facts: dict[str, list[Carried]], name: str) -> dict[int, int]:
    """Return the table version of each version of a dataset, where its rows are now."""
    found: dict[int, int] = {}
    for kind in (DATASET, MOVED):
        for fact in facts.get(kind, []):
            if _dataset_of(fact) == name:
                place = msgspec.json.decode(fact.body, type=_Table)
                found[place.version] = place.table_version
    return found


def _places_of(facts: dict[str, list[Carried]], name: str) -> dict[int, int]:
    """As ``_recorded``, without versions that are removed: their files may be gone."""
    found = _recorded(facts, name)
    for fact in facts.get(REMOVED, []):
        if _dataset_of(fact) == name:
            mark = msgspec.json.decode(fact.body, type=_Removal)
            if mark.removed:
                found.pop(mark.version, None)
    return found
