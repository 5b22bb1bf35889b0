"""Which dataset versions came from which: read from the ledger, without a table library."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gleis.contracts.dataset import DatasetVersion, Moved
from gleis.data.marks import MOVED, moved
from gleis.data.versions import KIND

if TYPE_CHECKING:
    from gleis.contracts.ports import FactStore


class Step(NamedTuple):
    """One way from a dataset version to another."""

    label: str
    """Where it leads: ``weather@v3``."""
    because: str
    """``it was read for claims@v4``."""


class Lineage:
    """All dataset versions of a ledger, and what their rows were made of.

    The rows of a version are those of the version that it was appended to, or of an earlier one
    that it restores, and those that its own load brought, out of the tables that it read.

    Parameters
    ----------
    facts : FactStore
        The ledger.
    """

    def __init__(self, facts: FactStore) -> None:
        self._facts = facts

    @cached_property
    def versions(self) -> dict[str, DatasetVersion]:
        """Label to version, oldest first; removed ones and other people's datasets too."""
        found = (msgspec.json.decode(one, type=DatasetVersion) for one in self._facts.all(KIND))
        return {one.label: moved(one, self._moves.get(one.name, {})) for one in found}

    def behind(self, label: str) -> list[Step]:
        """Return the versions that the rows of one came from, the nearest first, each once."""
        return _walk(label, lambda one: (Step(*way[:2]) for way in self._sources(one)))

    def beyond(self, label: str) -> list[Step]:
        """Return the versions that hold rows made of those of one, the nearest first, each once."""
        return _walk(label, lambda one: iter(self._users.get(one, [])))

    def tables(self, label: str) -> list[str]:
        """Return the versions of other datasets that a version was made of, however far back."""
        name = label.rpartition("@v")[0]
        return [step.label for step in self.behind(label) if step.label.rpartition("@v")[0] != name]

    def personal(self, label: str) -> set[str]:
        """Return what scans found of people in the rows of a version, whenever they came in."""
        name = label.rpartition("@v")[0]
        way = [label, *(step.label for step in self.behind(label))]
        there = [self.versions[one] for one in way if one in self.versions]
        return {told for one in there if one.name == name for told in one.provenance.personal}

    @cached_property
    def _moves(self) -> dict[str, dict[int, Moved]]:
        found: dict[str, dict[int, Moved]] = {}
        for body in self._facts.all(MOVED):
            mark = msgspec.json.decode(body, type=Moved)
            found.setdefault(mark.dataset, {})[mark.version] = mark
        return found

    @cached_property
    def _users(self) -> dict[str, list[Step]]:
        found: dict[str, list[Step]] = {}
        for label in self.versions:
            for source, _, because in self._sources(label):
                found.setdefault(source, []).append(Step(label, because))
        return found

    def _sources(self, label: str) -> Iterator[tuple[str, str, str]]:
        """Yield a source, what became of it, and where this came from."""
        version = self.versions.get(label)
        if version is None:
            return
        name = version.name
        if version.restored is not None:
            one = f"{name}@v{version.restored}"
            yield one, f"{label} has its rows again", f"it has the rows of {one} again"
        elif version.parent is not None:
            one = f"{name}@v{version.parent}"
            yield one, f"{label} was appended to it", f"it was appended to {one}"
        for one in version.provenance.tables:
            yield one, f"it was read for {label}", f"{one} was read for it"


def _walk(start: str, leads: Callable[[str], Iterator[Step]]) -> list[Step]:
    found: dict[str, Step] = {}
    waiting = deque([start])
    while waiting:
        for step in leads(waiting.popleft()):
            if step.label != start and step.label not in found:
                found[step.label] = step
                waiting.append(step.label)
    return list(found.values())
