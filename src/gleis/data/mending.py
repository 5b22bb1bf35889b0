"""A damaged table made whole: from a remote that has its files, or from what its files say.

Nothing is made up. A commit that is gone is written anew only if the version that was recorded for
it then has its hash again. What cannot be made whole is left as it is, but where the log would
stay unreadable for others: there an empty commit stands in, and the version is told as lost.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gleis.contracts.errors import StoreError
from gleis.data.intact import Holder
from gleis.store.artifacts import place_of
from gleis.store.tables.column_types import ROW
from gleis.store.tables.log import (
    HINT,
    Action,
    LoggedFile,
    State,
    TableLog,
    checkpoint_name,
    commit_name,
    in_order,
    logged,
    read_commit,
    read_log,
    replayed,
    write_commit,
)
from gleis.store.tables.loose_files import LooseFiles

if TYPE_CHECKING:
    from gleis.contracts.dataset import DatasetVersion
    from gleis.store.objects.objects import Objects

_TRIES = 64
"""Ways to put files together that are tried: a writer that was killed leaves few."""

_STAND_IN: list[Action] = [{"commitInfo": {"operation": "STAND-IN FOR A LOST COMMIT"}}]
"""Tried anew by every repair: the file that it lacked may be back."""


class Mender:
    """Makes the table of a dataset whole again. Nobody may write to it meanwhile.

    Parameters
    ----------
    objects : Objects
        Where the table is.
    prefix : str
        Of its objects.
    recorded : sequence of DatasetVersion
        All versions, removed ones too, with the places where their rows are now.
    kept : collection of int
        Numbers of those that can be read.
    moved : frozenset of int
        Versions that were written anew.
    remote : Objects, optional
        Where the same objects may be.
    """

    def __init__(
        self,
        objects: Objects,
        prefix: str,
        recorded: Sequence[DatasetVersion],
        kept: frozenset[int],
        moved: frozenset[int],
        remote: Objects | None = None,
    ) -> None:
        self._objects = objects
        self._prefix = prefix
        self._files = LooseFiles(objects, prefix)
        self._recorded = sorted(recorded, key=lambda version: version.table_version)
        self._kept = kept
        self._moved = moved
        self._remote = remote
        self.mended: list[str] = []
        """What was done, in sentences."""
        self.log = read_log(objects, prefix)

    def holder(self) -> Holder:
        """Return what holds versions against their hashes, with the files there are now."""
        return Holder(self._objects, self._prefix, self._recorded, self._files.sizes(), self._moved)

    def mend_log(self) -> None:
        """Make every commit readable, and put checkpoints aside that are not.

        Raises
        ------
        StoreError
            The place or the remote fails.
        """
        newest = max((version.table_version for version in self._recorded), default=-1)
        self._drop_unrecorded(newest)
        stood_in = [n for n, actions in self.log.commits.items() if list(actions) == _STAND_IN]
        for number in sorted({*self.log.missing(newest), *stood_in}):
            self._mend_commit(number)
        for name in sorted(self.log.damaged):
            if name == HINT or name.endswith(".parquet"):
                self._mend_checkpoint(name)
        self.log = read_log(self._objects, self._prefix)

    def mend_files(self, names: Sequence[str], state: State) -> bool:
        """Fetch files from the remote; return whether one of them was."""
        done = False
        for name in names:
            if name in state and self._fetch(state[name]):
                self.mended.append(f"{name} was fetched from {self._source}")
                done = True
        return done

    def fetch_artifact(self, digest: str) -> bytes | None:
        """Return an artifact of the remote; None if it is not there, or not whole there."""
        content = self._fetched(f"artifacts/{place_of(digest)}")
        whole = content is not None and hashlib.sha256(content).hexdigest() == digest
        return content if whole else None

    def _fetched(self, key: str) -> bytes | None:
        return self._remote.get(key) if self._remote is not None else None

    @property
    def _source(self) -> str:
        return self._remote.url if self._remote is not None else ""

    def _drop_unrecorded(self, newest: int) -> None:
        """Put aside what follows the newest recorded commit from the first damaged one on."""
        behind = self.log._replace(begins=max(newest + 1, self.log.begins))
        gone = behind.missing(self.log.last)
        if not gone:
            return
        for number in range(self.log.last, gone[0] - 1, -1):
            for name in (commit_name(number), checkpoint_name(number)):
                self._files.put_aside(name)
        self._files.put_aside(HINT)
        self.mended.append(f"{_commits(gone[0], self.log.last)} of no version was put aside")
        self.log = read_log(self._objects, self._prefix)

    def _mend_commit(self, number: int) -> None:
        for actions, content, how in self._candidates(number):
            log = self.log.with_commit(number, actions)
            if self._fits(log, number):
                self._write(number, content or write_commit(actions))
                self.mended.append(f"commit {number} of the log was {how}")
                self.log = log
                return
        if number == self.log.begins or number in self.log.commits:
            return  # an empty commit cannot begin a log, or stands in already
        self._write(number, write_commit(_STAND_IN))
        self.mended.append(f"commit {number} of the log is lost; an empty one stands in for it")
        self.log = self.log.with_commit(number, _STAND_IN)

    def _candidates(self, number: int) -> Iterator[tuple[Sequence[Action], bytes | None, str]]:
        """Return what the commit may have been, the likeliest first, and how it was made."""
        content = self._fetched(self._files.key(f"_delta_log/{commit_name(number)}"))
        if content:
            with suppress(ValueError):  # damaged there too
                yield read_commit(content), content, f"fetched from {self._source}"
        how = "made anew of the ledger and the files of the table"
        prior = {} if number == 0 else self.log.state(number - 1)
        version = self._recorded_at(number)
        if version is None:
            follower = next((v for v in self._recorded if v.table_version > number), None)
            parent = None if follower is None else self._numbered(follower.parent)
            target = None if parent is None else self.log.state(parent.table_version)
            if prior is not None and target is not None:
                yield self._becoming(prior, target), None, how
            if prior is not None:
                yield [_told("NOTHING")], None, "of no version; an empty one stands in for it"
            return
        before = self._numbered(version.restored)
        target = None if before is None else self.log.state(before.table_version)
        if target is not None:
            yield self._becoming(prior or {}, target), None, how
        beside = self._files_beside(version, prior or {})
        if prior:
            end = max(
                (file.last + 1 for file in prior.values() if file.last is not None), default=0
            )
            rows = version.rows - sum(file.rows or 0 for file in prior.values())
            for files in islice(_puzzled(beside, end, rows), _TRIES):
                yield [_told("WRITE"), *({"add": file.added} for file in files)], None, how
        for files in islice(_puzzled(beside, 0, version.rows), _TRIES):
            target = {file.name: file for file in files}
            yield self._becoming(prior or {}, target), None, how

    def _fits(self, log: TableLog, number: int) -> bool:
        """Say whether the first version that needs a commit has its hash with it."""
        later = [v for v in self._recorded if v.table_version >= number and v.version in self._kept]
        for version in later:
            if any(n > number for n in log.missing(version.table_version)):
                break
            state = log.state(version.table_version)
            if state is None:
                return False
            there = self._files.sizes()
            self.mend_files([f.name for f in state.values() if there.get(f.name) != f.size], state)
            return self.holder().has_own(version, state)
        return True  # no version that can be read needs it

    def _becoming(self, prior: State, target: State) -> list[Action]:
        """Return the commit that makes a table of ``prior`` one of ``target``."""
        return [
            _told("RESTORE"),
            *self._describing(target),
            *({"remove": _removed(file)} for name, file in prior.items() if name not in target),
            *({"add": file.added} for name, file in target.items() if name not in prior),
        ]

    def _describing(self, state: State) -> list[Action]:
        """Return the actions that say which columns a table has, as one of its files does."""
        if not state:
            return []
        actions = self._files.converted([in_order(state)[0].name])
        known = next(
            (
                action["metaData"]["id"]
                for commit in self.log.commits.values()
                for action in commit
                if "metaData" in action
            ),
            None,
        )
        found: list[Action] = []
        for action in actions:
            if "metaData" in action:
                named = {"id": known} if known else {}
                found.append({"metaData": {**action["metaData"], **named}})
            elif "protocol" in action:
                found.append(action)
        return found

    def _files_beside(self, version: DatasetVersion, prior: State) -> list[LoggedFile]:
        """Return files that may be of a version: those that no commit adds come first."""
        there = self._files.sizes()
        known = {
            name: file for state in self.log.checkpoints.values() for name, file in state.items()
        }
        for actions in self.log.commits.values():
            known |= replayed({}, actions)
        wanted = {*version.columns, ROW}
        orphans = [
            name
            for name in there
            if name not in known
            and name.endswith(".parquet")
            and self._files.columns(name) == wanted
        ]
        added = (action["add"] for action in self._files.converted(orphans) if "add" in action)
        pool = [*map(logged, added), *(file for name, file in known.items() if name in there)]
        return [file for file in pool if file.name not in prior]

    def _mend_checkpoint(self, name: str) -> None:
        """Put a checkpoint aside that the commits make needless, or fetch it."""
        number = int(name.partition(".")[0]) if name != HINT else -1
        fetched = self._fetched(self._files.key(f"_delta_log/{name}"))
        told = "the note of the newest checkpoint" if name == HINT else f"checkpoint {number}"
        if number != self.log.begins or self.log.begins == 0:
            self._files.put_aside(name)
            self._files.put_aside(HINT)
            self.mended.append(f"{told} was put aside: the commits tell the same")
        elif fetched:
            self._files.put_aside(name)
            self._objects.put(self._files.key(f"_delta_log/{name}"), fetched)
            self.mended.append(f"{told} was fetched from {self._source}")

    def _fetch(self, file: LoggedFile) -> bool:
        key = self._files.key(file.name)
        if self._remote is None or self._remote.size(key) != file.size:
            return False
        with tempfile.TemporaryDirectory() as room:
            copy = Path(room) / "fetched"
            self._remote.download(key, copy)
            if self._objects.size(key) is not None:
                self._files.put_aside(file.name, "")
            self._objects.upload(key, copy)
        return True

    def _write(self, number: int, content: bytes) -> None:
        self._files.put_aside(commit_name(number))
        if not self._objects.create(self._files.key(f"_delta_log/{commit_name(number)}"), content):
            raise StoreError(
                f"Another process wrote commit {number} of {self._prefix} meanwhile",
                remedy="Run it again.",
            )

    def _recorded_at(self, number: int) -> DatasetVersion | None:
        """Return a version whose rows the commit brought; one that can be read, if there is."""
        here = [version for version in self._recorded if version.table_version == number]
        here.sort(key=lambda version: (version.version not in self._kept, version.version))
        return here[0] if here else None

    def _numbered(self, number: int | None) -> DatasetVersion | None:
        return next((v for v in self._recorded if v.version == number), None)


def _told(operation: str) -> Action:
    return {"commitInfo": {"operation": operation, "engineInfo": "gleis data verify --repair"}}


def _removed(file: LoggedFile) -> Action:
    return {"path": file.added["path"], "size": file.size, "dataChange": True}


def _commits(first: int, last: int) -> str:
    return (
        f"commit {first} of the log" if first == last else f"commits {first} to {last} of the log"
    )


def _puzzled(files: Sequence[LoggedFile], start: int, rows: int) -> Iterator[list[LoggedFile]]:
    """Return every way in which files hold so many rows from a position on, without a gap."""
    if rows == 0:
        yield []
        return
    for file in files:
        if file.first == start and file.last is not None and file.rows and file.rows <= rows:
            for rest in _puzzled(files, file.last + 1, rows - file.rows):
                yield [file, *rest]
