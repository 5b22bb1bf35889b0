"""What was said of versions after they were made: facts beside the record that never changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.dataset import DatasetVersion, Moved, Removal, VersionName
from gleis.contracts.errors import ConfigError, RegistryError

if TYPE_CHECKING:
    from gleis.contracts.ports import FactStore

NAMED = "dataset-named"
"""Kind of the facts that give a name to a version or take it back; their key is ``name@q1-audit``,
and behind a ``#`` how often it was given or taken before."""
REMOVED = "dataset-removed"
"""Kind of the facts that remove a version; their key is ``name@v3``."""
MOVED = "dataset-moved"
"""Kind of the facts that say where a version's rows are now; their key is ``name@v3``."""
COLLECTED = "dataset-collected"
"""Kind of the facts that say what was deleted; their key is the dataset's name."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


class Marks:
    """Names, removals and moves of one dataset's versions.

    Parameters
    ----------
    facts : FactStore
        The ledger.
    dataset : str
        Name of the dataset.
    """

    def __init__(self, facts: FactStore, dataset: str) -> None:
        self._facts = facts
        self._dataset = dataset

    def names(self) -> dict[str, int]:
        """Return the version of each name, in the order in which they were given."""
        return _now(self._names())

    def names_of(self, version: int) -> list[str]:
        """Return the names of a version."""
        return [name for name, number in self.names().items() if number == version]

    def give(self, name: str, version: int, by: str, at: datetime) -> None:
        """Give a name to a version; giving it again changes nothing.

        Raises
        ------
        ConfigError
            If it could be taken for something else.
        RegistryError
            If another version has it.
        """
        check_name(name)
        before = self._names()
        has = _now(before).get(name)
        if has == version:
            return
        if has is not None or not self._say(name, version, by, at, before, given=True):
            has = self.names().get(name, version)
            raise RegistryError(
                f"{self._dataset}@v{has} has this name already",
                seen=name,
                remedy=f"Take another, or take it back: gleis data name {self._dataset}@v{has} "
                f"{name} --remove.",
            )

    def take(self, name: str, version: int, by: str, at: datetime) -> None:
        """Take a name back from a version.

        Raises
        ------
        RegistryError
            If the version does not have it.
        """
        before = self._names()
        if _now(before).get(name) != version:
            known = ", ".join(self.names_of(version)) or "none"
            raise RegistryError(
                f"{self._dataset}@v{version} does not have this name",
                seen=name,
                remedy=f"Its names: {known}.",
            )
        self._say(name, version, by, at, before, given=False)

    def removals(self) -> dict[int, Removal]:
        """Return the versions that are removed."""
        found: dict[int, Removal] = {}
        for body in self._facts.all(REMOVED):
            mark = msgspec.json.decode(body, type=Removal)
            if mark.dataset == self._dataset:
                found[mark.version] = mark
        return {number: mark for number, mark in found.items() if mark.removed}

    def remove(
        self, version: int, by: str, at: datetime, why: str | None = None, *, removed: bool = True
    ) -> None:
        """Remove a version, or take its removal back."""
        mark = Removal(
            dataset=self._dataset, version=version, removed=removed, at=at, by=by, why=why
        )
        self._put(REMOVED, version, mark, at)

    def moves(self) -> dict[int, Moved]:
        """Return where versions are whose rows were written anew."""
        marks = [msgspec.json.decode(body, type=Moved) for body in self._facts.all(MOVED)]
        return {mark.version: mark for mark in marks if mark.dataset == self._dataset}

    def move(self, mark: Moved) -> None:
        """Say that a version's rows are in another version of the Delta table from now on."""
        self._put(MOVED, mark.version, mark, mark.at)

    def _put(self, kind: str, version: int, mark: msgspec.Struct, at: datetime) -> None:
        self._facts.append(kind, f"{self._dataset}@v{version}", msgspec.json.encode(mark), at)

    def _names(self) -> list[VersionName]:
        marks = [msgspec.json.decode(body, type=VersionName) for body in self._facts.all(NAMED)]
        return [mark for mark in marks if mark.dataset == self._dataset]

    def _say(
        self,
        name: str,
        version: int,
        by: str,
        at: datetime,
        before: Sequence[VersionName],
        *,
        given: bool,
    ) -> bool:
        """Write the next fact about a name, unless somebody did so since ``before`` was read."""
        turn = sum(mark.name == name for mark in before)
        mark = VersionName(
            dataset=self._dataset, name=name, version=version, given=given, at=at, by=by
        )
        key = f"{self._dataset}@{name}" + (f"#{turn}" if turn else "")
        return self._facts.append_once(NAMED, key, msgspec.json.encode(mark), at)


def _now(marks: Sequence[VersionName]) -> dict[str, int]:
    found: dict[str, int] = {}
    for mark in marks:
        found.pop(mark.name, None)
        if mark.given:
            found[mark.name] = mark.version
    return found


def moved(version: DatasetVersion, moves: Mapping[int, Moved]) -> DatasetVersion:
    """Return a version with the place where its rows are now."""
    at = moves.get(version.version)
    if at is None:
        return version
    place = {"table_version": at.table_version, "rows": at.rows, "labelled": at.labelled}
    if at.content is None:
        return msgspec.structs.replace(version, **place)
    return msgspec.structs.replace(
        version,
        **place,
        content=at.content,
        first=at.first,
        last=at.last,
        profile=at.profile,
        quarantined=at.quarantined,
        quarantine=at.quarantine,
        erased=at.erased,
        original=at.original,
    )


def check_name(name: str) -> None:
    """Refuse a name that could be taken for a number, a moment or ``latest``.

    Raises
    ------
    ConfigError
    """
    if _NAME.fullmatch(name) and name != "latest" and not re.fullmatch(r"v\d+", name):
        return
    raise ConfigError(
        "This cannot be the name of a version",
        seen=name,
        remedy="Begin with a letter and go on with letters, digits, dots, - and _, at most 64; "
        "not latest, and not v3 or the like.",
        field="name",
    )
