"""Files of a local Delta table: brought to the disk, and seen to be whole.

A table by URL is its server's matter, and left alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from gleis.store.tables.files import TableFile


def sync_commit(location: str, version: int) -> None:
    """Wait until what one commit wrote is on disk.

    Delta Lake leaves that to the system: after a power cut a commit could be empty.

    Parameters
    ----------
    location : str
        Folder or URL of the table.
    version : int
        Which commit.

    Raises
    ------
    OSError
        The disk fails.
    """
    folder = Path(location)
    log = folder / "_delta_log" / f"{version:020}.json"
    if not log.is_file():
        return
    actions = [json.loads(line) for line in log.read_bytes().splitlines()]
    for name in (action["add"]["path"] for action in actions if "add" in action):
        _sync(folder / name)
    for path in (log, log.parent, folder):
        _sync(path)


def find_damaged(location: str, files: Iterable[TableFile]) -> str | None:
    """Say what is wrong with the first file that is missing or cut; None if all are whole."""
    folder = Path(location)
    if not folder.is_dir():
        return None
    for file in files:
        try:
            # Of thousands of files, making a Path of each takes longer than asking for its size.
            size = os.stat(f"{location}/{file.name}").st_size
        except FileNotFoundError:
            return f"{folder / file.name} is missing"
        if size != file.size:
            return f"{folder / file.name} has {size:,} bytes and should have {file.size:,}"
    return None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
