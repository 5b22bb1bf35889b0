"""What is known of a dataset's versions, one after another."""

from __future__ import annotations

import msgspec

from gleis.contracts.dataset import DatasetVersion, Removal
from gleis.lifecycle.data.needed import needed_by
from gleis.lifecycle.workbench import Workbench


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A version, and what was said of it since."""

    version: DatasetVersion
    added: int
    """Rows that it has and its parent has not."""
    names: tuple[str, ...]
    needed: tuple[str, ...]
    """Why it cannot be removed; see ``gleis.lifecycle.data.needed``."""
    removed: Removal | None


def history(bench: Workbench, name: str | None = None) -> list[Entry]:
    """Return the versions of a dataset, oldest first, also those that are removed."""
    datasets = bench.dataset(name)
    recorded = datasets.recorded()
    rows = {version.version: version.rows for version in recorded}
    needs = needed_by(bench, datasets.name)
    gone = datasets.removals()
    names = datasets.marks.names()
    return [
        Entry(
            version=version,
            added=_added(version, rows),
            names=tuple(name for name, number in names.items() if number == version.version),
            needed=needs.get(version.version, ()),
            removed=gone.get(version.version),
        )
        for version in recorded
    ]


def _added(version: DatasetVersion, rows: dict[int, int]) -> int:
    if version.restored is not None:
        return 0
    return version.rows - (rows.get(version.parent, 0) if version.parent is not None else 0)
