"""A file that is still being written is left alone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from gleis.data.sources.source import Looked

WRITING = "it is still being written"
"""Why such a file is left."""
SETTLE = 1.0
"""Seconds for which a file must not have changed."""
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".inprogress", ".swp")
"""How names end that say that a file is not complete."""


def stat_of(path: Path) -> Looked | None:
    """Return size and time of change, with no hash; None if there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Looked(size=found.st_size, changed=found.st_mtime_ns, hash="")


def settled(paths: Iterable[Path], *, wait: bool) -> dict[Path, Looked | None]:
    """Look at files and tell those that are at rest.

    Parameters
    ----------
    paths : iterable of Path
    wait : bool
        Whether to wait `SETTLE` seconds, once, for those that changed just now. If not, they are
        taken for being written.

    Returns
    -------
    dict
        Path -> how it is; None if it is still being written. Files that vanish are left out.
    """
    seen = {path: one for path in paths if (one := stat_of(path)) is not None}
    now = time.time_ns()
    young = [path for path, one in seen.items() if abs(now - one.changed) < SETTLE * 1e9]
    if young and wait:
        time.sleep(SETTLE)
    found: dict[Path, Looked | None] = dict(seen)
    for path in young:
        after = stat_of(path)
        if after is None:
            del found[path]
        elif not wait or after != seen[path]:
            found[path] = None
    return found
