"""Files of a Delta table that no version needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import deltalake
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileType, PyFileSystem

ASIDE = "_damaged"
"""Folder of a table for what was damaged and was replaced; readers and vacuum pass it by."""


class Unneeded(NamedTuple):
    """A file that goes, or went."""

    name: str
    """Relative to the table."""
    size: int
    """Bytes."""


def sweep(
    table: deltalake.DeltaTable, location: str, keep: Sequence[int], *, hours: int, dry_run: bool
) -> tuple[Unneeded, ...]:
    """Delete files that neither the newest version nor one of ``keep`` needs; return them.

    Parameters
    ----------
    table : deltalake.DeltaTable
        Its newest version.
    location : str
        Its folder or URL.
    keep : sequence of int
        Versions that stay readable.
    hours : int
        Files younger than this stay.
    dry_run : bool
        Delete nothing.
    """
    torn = [] if hours else _torn(Path(location))
    found = _there(table, _vacuum(table, keep, hours=hours, dry_run=True))
    aside = put_aside(table)
    if not dry_run:
        drop(table, aside)
        if found:
            _vacuum(table, keep, hours=hours, dry_run=False)
        for file in torn:
            (Path(location) / file.name).unlink(missing_ok=True)
    return (*found, *torn, *aside)


def put_aside(table: deltalake.DeltaTable) -> list[Unneeded]:
    """Return what was damaged and was put aside when the table was mended."""
    found = _files(table).get_file_info(FileSelector(ASIDE, allow_not_found=True))
    return [Unneeded(info.path, info.size) for info in found if info.type == FileType.File]


def drop(table: deltalake.DeltaTable, files: Sequence[Unneeded]) -> None:
    """Delete files of a table that no version needs."""
    system = _files(table)
    for file in files:
        system.delete_file(file.name)


def _vacuum(
    table: deltalake.DeltaTable, keep: Sequence[int], *, hours: int, dry_run: bool
) -> list[str]:
    names: list[str] = table.vacuum(
        retention_hours=hours,
        dry_run=dry_run,
        enforce_retention_duration=False,
        full=True,
        keep_versions=sorted(set(keep)),
    )
    return names


def _there(table: deltalake.DeltaTable, names: Sequence[str]) -> list[Unneeded]:
    """Return those that are still there: the log tells of all that ever went."""
    if not names:
        return []
    files = _files(table).get_file_info(list(names))
    return [Unneeded(info.path, info.size) for info in files if info.type == FileType.File]


def _files(table: deltalake.DeltaTable) -> PyFileSystem:
    return PyFileSystem(DeltaStorageHandler.from_table(table._table))


def _torn(folder: Path) -> list[Unneeded]:
    """Return what a process that was killed while it wrote a local file has left."""
    return [Unneeded(path.name, path.stat().st_size) for path in folder.glob("*.parquet#*")]
