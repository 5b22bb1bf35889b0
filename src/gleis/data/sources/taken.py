"""What a dataset has from its source already, by the record of its versions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gleis.contracts.dataset import DatasetVersion, SourceFile
from gleis.data.sources.source import Taken

if TYPE_CHECKING:
    from gleis.data.versions import DatasetVersions


def taken(datasets: DatasetVersions) -> tuple[Taken, DatasetVersion | None]:
    """Gather files and cursor of the latest version and all before it, back to the last snapshot.

    A version that was removed still says what was taken: its rows are in those behind it.

    Returns
    -------
    Taken
    DatasetVersion or None
        The version of which it is known. Whoever appends must come directly behind exactly this
        one: of a later one it is not known what it took.
    """
    latest = datasets.latest()
    if latest is None:
        return Taken(), None
    found = {version.version: version for version in datasets.recorded()}
    files: dict[str, SourceFile] = {}
    cursor = None
    version: DatasetVersion | None = latest
    while version is not None:
        for file in version.provenance.files:
            files.setdefault(file.path, file)
        cursor = cursor or version.provenance.cursor
        version = found.get(version.parent) if version.parent else None
    found_until = latest.provenance.until
    if found_until is None and latest.last is not None:
        found_until = latest.last + timedelta(microseconds=1)
    done = Taken(files=files, cursor=cursor, columns=latest.columns, until=found_until)
    return done, latest
