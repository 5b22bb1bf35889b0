"""The log of a Delta table, read file by file: also where some of them are damaged.

Delta Lake's own reader gives up at the first file that it cannot read. Here each commit and each
checkpoint is looked at by itself, so that what is whole is known.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
import polars as pl

from gleis.store.objects.objects import Objects
from gleis.store.tables.column_types import ROW

Action = Mapping[str, Any]
"""A line of a commit: ``{"add": {"path": ...}}``."""
State = dict[str, "LoggedFile"]
"""Files of a table version by name."""

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")
HINT = "_last_checkpoint"


class LoggedFile(NamedTuple):
    """A Parquet file as a commit names it."""

    name: str
    """Relative to the table."""
    size: int
    """Bytes."""
    rows: int | None
    """None where the log does not say."""
    first: int | None
    """Smallest position of a row."""
    last: int | None
    """Largest position of a row."""
    added: Action
    """What a commit says that adds it."""


class TableLog(NamedTuple):
    """What can be read of a table's log."""

    commits: dict[int, tuple[Action, ...]]
    """Table version -> actions, of those that are whole."""
    checkpoints: dict[int, State]
    """Table version -> its files, of those that are whole."""
    damaged: dict[str, str]
    """Name of a file of the log -> what is wrong with it."""
    begins: int
    """First table version that the log tells of: 0, or a checkpoint where an erasure cut it."""
    last: int
    """Largest number of a commit or checkpoint that is there; -1 if there is none."""

    def missing(self, until: int) -> list[int]:
        """Return the commits up to a table version that are damaged or not there."""
        begins_here = {self.begins} & self.checkpoints.keys()
        return [
            number
            for number in range(self.begins, until + 1)
            if number not in self.commits and number not in begins_here
        ]

    def states(self, numbers: Collection[int]) -> Iterator[tuple[int, State | None]]:
        """Replay the log, and return the files of some table versions, in order.

        Parameters
        ----------
        numbers : collection of int

        Yields
        ------
        number : int
        files : dict or None
            None if it cannot be told from what is whole. It changes with the next step.
        """
        state: State | None = None
        for number in range(max(numbers, default=-1) + 1):
            actions = self.commits.get(number)
            if actions is not None and (state is not None or number == 0):
                state = replayed(state or {}, actions)
            else:
                found = self.checkpoints.get(number)
                state = None if found is None else dict(found)
            if number in numbers:
                yield number, state

    def state(self, number: int) -> State | None:
        """Return the files of one table version; None if it cannot be told."""
        return dict(self.states({number})).get(number)

    def with_commit(self, number: int, actions: Sequence[Action]) -> TableLog:
        """Return the log as it is with a commit more."""
        commits = {**self.commits, number: tuple(actions)}
        return self._replace(commits=commits, last=max(self.last, number))


def replayed(state: State, actions: Sequence[Action]) -> State:
    """Return the files after a commit; changes ``state``."""
    for action in actions:
        if removed := action.get("remove"):
            state.pop(unquote(removed["path"]), None)
    for action in actions:
        if added := action.get("add"):
            file = logged(added)
            state[file.name] = file
    return state


def logged(added: Action) -> LoggedFile:
    """Read an ``add`` action."""
    try:
        stats = json.loads(added.get("stats") or "{}")
    except ValueError:
        stats = {}
    kept = {name: added.get(name) for name in ("path", "size", "modificationTime", "stats")}
    return LoggedFile(
        unquote(added["path"]),
        int(added["size"]),
        stats.get("numRecords"),
        (stats.get("minValues") or {}).get(ROW),
        (stats.get("maxValues") or {}).get(ROW),
        {**kept, "partitionValues": {}, "dataChange": True},
    )


def in_order(state: State) -> list[LoggedFile]:
    """Return files in the order of their rows."""
    return sorted(state.values(), key=lambda file: (file.first is None, file.first or 0))


def read_log(objects: Objects, prefix: str) -> TableLog:
    """Read every file of a table's log.

    Parameters
    ----------
    objects : Objects
        Where the table is.
    prefix : str
        Of the table's objects.

    Raises
    ------
    StoreError
        The place fails.
    """
    commits: dict[int, tuple[Action, ...]] = {}
    checkpoints: dict[int, State] = {}
    damaged: dict[str, str] = {}
    there: dict[int, bool] = {}
    for found in objects.list(f"{prefix}/_delta_log"):
        name = found.key.rpartition("/")[2]
        commit, checkpoint = _COMMIT.fullmatch(name), _CHECKPOINT.fullmatch(name)
        matched = commit or checkpoint
        if matched is None and name != HINT:
            continue
        number = int(matched[1]) if matched is not None else -1
        if matched is not None:
            there[number] = there.get(number, False) or checkpoint is not None
        content = objects.get(found.key) or b""
        try:
            if commit:
                commits[number] = read_commit(content)
            elif checkpoint:
                checkpoints[number] = _read_checkpoint(content)
            else:
                msgspec.json.decode(content, type=dict[str, Any])
        except ValueError as error:
            damaged[name] = str(error)
    first = min(there, default=0)
    begins = first if there.get(first) else 0
    log = TableLog(commits, checkpoints, damaged, begins, max(there, default=-1))
    return _compared(log)


def _compared(log: TableLog) -> TableLog:
    """Take out the checkpoints that name other files than the commits before them do."""
    plain = log._replace(
        checkpoints={n: state for n, state in log.checkpoints.items() if n == log.begins}
    )
    others = {
        number
        for number, state in plain.states(log.checkpoints.keys())
        if state is not None and state.keys() != log.checkpoints[number].keys()
    }
    told = {checkpoint_name(number): "names other files than the commits" for number in others}
    kept = {number: state for number, state in log.checkpoints.items() if number not in others}
    return log._replace(checkpoints=kept, damaged=log.damaged | told)


def commit_name(number: int) -> str:
    """Return the name of a commit's file."""
    return f"{number:020}.json"


def checkpoint_name(number: int) -> str:
    """Return the name of a checkpoint's file."""
    return f"{number:020}.checkpoint.parquet"


def read_commit(content: bytes) -> tuple[Action, ...]:
    """Read a commit; ValueError says what is wrong with it."""
    if not content.strip():
        raise ValueError("is empty")
    try:
        actions = tuple(json.loads(line) for line in content.splitlines() if line.strip())
    except ValueError as error:
        raise ValueError("is cut") from error
    if not all(isinstance(action, dict) for action in actions):
        raise ValueError("is no commit")
    return actions


def write_commit(actions: Sequence[Action]) -> bytes:
    """Return the bytes of a commit."""
    return b"".join(
        json.dumps(action, separators=(",", ":")).encode() + b"\n" for action in actions
    )


def _read_checkpoint(content: bytes) -> State:
    if content[:4] != b"PAR1" or content[-4:] != b"PAR1":
        raise ValueError("is cut")  # polars would panic on it
    try:
        rows = pl.read_parquet(io.BytesIO(content), columns=["add"])["add"].drop_nulls()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ValueError("cannot be read") from error
    files = (logged(added) for added in rows.to_list() if added and added.get("path"))
    return {file.name: file for file in files}
