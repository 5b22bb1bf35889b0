"""Copy a Delta table from one place to another: its files, then its log, commit by commit.

Both logs are one history: what both have is equal, and the shorter one begins the longer one. A
commit is created at the other side only if nobody made another one of its number there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import NamedTuple

import deltalake
from deltalake.exceptions import DeltaError

from gleis.contracts.errors import StoreError
from gleis.store.objects.by_url import TABLES
from gleis.store.objects.moving import Item
from gleis.store.objects.objects import Objects
from gleis.store.objects.patience import Patience
from gleis.store.objects.s3_failures import final_failure
from gleis.store.objects.s3_options import delta_options, is_s3

_COMMIT = re.compile(r"(\d{20})\.json")
_DEAD = 3600.0
"""Seconds after which a commit that no dataset version was recorded for is nobody's any more."""
_LOGGED = re.compile(r"(\d{20})\..*")


class Log(NamedTuple):
    """What a table's log consists of, at one side."""

    commits: dict[int, str]
    """Table version -> key of its commit."""
    others: dict[str, int]
    """Key of a checkpoint -> its table version."""
    modified: float
    """When its newest commit was written; 0 if there is none."""

    @property
    def last(self) -> int:
        """The newest table version; -1 if there is none."""
        return max(self.commits, default=-1)


def prefix_of(name: str) -> str:
    """Return the prefix of a dataset's objects."""
    return f"{TABLES}/{name}"


def read_log(objects: Objects, name: str) -> Log:
    """List the log of a table."""
    commits: dict[int, str] = {}
    others: dict[str, int] = {}
    modified = 0.0
    for found in objects.list(f"{prefix_of(name)}/_delta_log"):
        file = found.key.rpartition("/")[2]
        if commit := _COMMIT.fullmatch(file):
            commits[int(commit.group(1))] = found.key
            modified = max(modified, found.modified)
        elif logged := _LOGGED.fullmatch(file):
            others[found.key] = int(logged.group(1))
    return Log(commits, others, modified)


def files_of(
    objects: Objects, name: str, versions: Iterable[int], patience: Patience
) -> dict[str, int]:
    """Return the files that versions of a table need: key -> bytes.

    Raises
    ------
    StoreError
        There is no such table version, or the place fails.
    """
    location = f"{objects.url}/{prefix_of(name)}"
    found: dict[str, int] = {}
    for version in sorted(set(versions)):
        try:
            table = deltalake.DeltaTable(
                location, version=version, storage_options=delta_options(location, patience)
            )
            actions = table.get_add_actions(flatten=True)
        except (DeltaError, OSError) as error:
            raise _failure(location, version, error) from error
        columns = dict(zip(actions.schema.names, actions.columns, strict=True))
        paths = columns["path"].to_pylist()
        sizes = columns["size_bytes"].to_pylist()
        found |= {
            f"{prefix_of(name)}/{path}": size for path, size in zip(paths, sizes, strict=True)
        }
    return found


def missing_files(
    target: Objects, name: str, needed: dict[str, int], hashes: dict[str, str]
) -> list[Item]:
    """Return the files of a table as items; those there in their size need not move."""
    there = {found.key: found.size for found in target.list(prefix_of(name))}
    return [
        Item(key, size, hashes.get(key), there.get(key) == size) for key, size in needed.items()
    ]


def move_log(
    source: Objects, target: Objects, name: str, until: int, recorded: int, *, alone: bool
) -> None:
    """Bring the commits of a table up to a version to the other side, the oldest first.

    Parameters
    ----------
    source, target : Objects
    name : str
        Name of the dataset.
    until : int
        The last table version to move.
    recorded : int
        The newest table version there that a dataset version is recorded for; -1 for none. Behind
        it a process that died may have left commits; they count for nothing.
    alone : bool
        Whether nobody else can write there now. Else such commits make room for ours only after an
        hour: a push records its commits within moments.

    Raises
    ------
    StoreError
        The other side has another history: nothing of it was touched.
    """
    ours, theirs = read_log(source, name), read_log(target, name)
    both = [version for version in ours.commits if version in theirs.commits and version <= until]
    if both and not _equal(source, target, ours, theirs, max(both)):
        first = next(v for v in sorted(both) if not _equal(source, target, ours, theirs, v))
        dead = alone or time.time() - theirs.modified > _DEAD
        if first <= recorded or not dead:
            raise _diverged(target, name, first)
        _drop(target, theirs, first)
        theirs = read_log(target, name)
    for version in sorted(version for version in ours.commits if version <= until):
        if version > theirs.last:
            body = source.get(ours.commits[version])
            if body is None or not target.create(ours.commits[version], body):
                raise _diverged(target, name, version)
        # A checkpoint only behind its commit: then the history up to it is ours.
        for key in (key for key, number in ours.others.items() if number == version):
            if key not in theirs.others and (body := source.get(key)):
                target.create(key, body)


def cut_log(
    source: Objects,
    target: Objects,
    name: str,
    places: dict[int, tuple[int, int]],
    patience: Patience,
) -> None:
    """Forget at the other side what was forgotten here: rows of an erased person are in old files.

    Parameters
    ----------
    source, target : Objects
    name : str
        Name of the dataset.
    places : dict
        Of each version that the other side has recorded: the table version it was recorded with,
        and that of its rows now.
    patience : Patience
    """
    ours, theirs = read_log(source, name), read_log(target, name)
    first = min(ours.commits, default=0)
    now = {place for _, place in places.values()}
    begins = any(number == first for number in theirs.others.values())
    if not begins or min(theirs.commits) >= first or min(now, default=first) < first:
        return
    needed = files_of(target, name, now, patience)
    before = {place for place, _ in places.values() if place in theirs.commits and place < first}
    old = set(files_of(target, name, before, patience))
    old |= {
        found.key
        for found in target.list(prefix_of(name))
        if found.key.endswith(".parquet")
        and "/_delta_log/" not in found.key
        and time.time() - found.modified > _DEAD
    }
    for version in sorted(version for version in theirs.commits if version < first):
        target.delete(theirs.commits[version])
    for key in (key for key, version in theirs.others.items() if version < first):
        target.delete(key)
    for key in sorted(old - set(needed)):
        target.delete(key)


def still_ours(source: Objects, target: Objects, name: str, version: int) -> bool:
    """Say whether both sides have the same commit of a table version."""
    key = f"{prefix_of(name)}/_delta_log/{version:020}.json"
    return (body := source.get(key)) is not None and body == target.get(key)


def _equal(source: Objects, target: Objects, ours: Log, theirs: Log, version: int) -> bool:
    return source.get(ours.commits[version]) == target.get(theirs.commits[version])


def _drop(target: Objects, log: Log, first: int) -> None:
    """Remove commits from a number on, the newest first, so that what is left is a log."""
    for key, version in log.others.items():
        if version >= first:
            target.delete(key)
    for version in sorted(log.commits, reverse=True):
        if version >= first:
            target.delete(log.commits[version])


def _failure(location: str, version: int, error: Exception) -> StoreError:
    if is_s3(location):
        return final_failure(error, location)
    return StoreError(
        f"Version {version} of the table {location} cannot be read: {error}",
        remedy="Restore the table from a backup, or pull it from a remote that has it.",
    )


def _diverged(target: Objects, name: str, version: int) -> StoreError:
    return StoreError(
        f"The table of {name} at {target.url} has another commit {version} than ours",
        remedy="Somebody pushes it right now, or did not finish: let them run gleis push again. "
        "Then pull. To go on without them, push to another place: gleis push --to URL.",
        field=name,
    )
