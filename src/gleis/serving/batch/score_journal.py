"""What a scoring job has done, on disk beside its output, so that it can go on after a kill."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from gleis.contracts.errors import BlockedError, StoreError

T = TypeVar("T")
_FINISHING = b'"finishing"'


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is scored by what, and how: the first line of a journal."""

    input: str
    """Fingerprint of the input."""
    package: str
    """Digest."""
    columns: tuple[str, ...]
    """Columns carried over into the output."""
    on_bad: str
    parts: bool
    rows_per_part: int
    logged: bool


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part that is on disk: a line of a journal."""

    rows: int
    """Rows read."""
    bad: int = 0
    fallbacks: int = 0
    flags: dict[str, int] = {}
    """Flag -> rows."""
    size: int = 0
    """Size of the output once the part was in it."""
    footer: bytes = b""
    bad_size: int = 0
    bad_footer: bytes = b""


class Journal:
    """An append-only file of finished parts, held by one process at a time.

    Parameters
    ----------
    path : Path
    job : Job
        What this process is about to do.

    Raises
    ------
    BlockedError
        The journal is of another job.
    StoreError
        Here and in every method: it cannot be written, or another process holds it.
    """

    def __init__(self, path: Path, job: Job) -> None:
        self.path = path
        self.parts: list[Part] = []
        self.finishing = False
        """True once every part is there and outputs are given their names."""
        try:
            self._file = path.open("a+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                "Another process is scoring into this file",
                seen=str(path),
                remedy="Wait for it, or name another output.",
            ) from None
        except OSError as error:
            raise _unwritable(path, error) from error
        self._take_up(job)

    def add(self, parts: list[Part]) -> None:
        """Note parts whose bytes are on disk; returns when the note is."""
        self._write(b"".join(msgspec.json.encode(part) + b"\n" for part in parts))
        self.parts += parts

    def finish(self) -> None:
        """Note that outputs will be given their names now."""
        if not self.finishing:
            self._write(_FINISHING + b"\n")
            self.finishing = True

    def remove(self) -> None:
        """Delete it: the job is done."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Let go of it; the job goes on another time."""
        self._file.close()

    def _take_up(self, job: Job) -> None:
        self._file.seek(0)
        head, *lines = self._file.read().split(b"\n")
        if not lines:
            self._cut(0)
            self._write(msgspec.json.encode(job) + b"\n")
            return
        before = _decode(self.path, head, Job)
        if before != job:
            raise BlockedError(
                f"{self.path.name} is of another job: {_difference(before, job)} differs",
                seen=str(self.path),
                remedy="Give the same input, package and options to go on, or start anew: --fresh.",
            )
        # What a kill left of a line is behind the last line break.
        self.finishing = _FINISHING in lines
        self.parts = [_decode(self.path, line, Part) for line in lines[:-1] if line != _FINISHING]
        self._cut(sum(len(line) + 1 for line in (head, *lines[:-1])))

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)

    def _write(self, content: bytes) -> None:
        try:
            self._file.write(content)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error


def _decode(path: Path, line: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path} is damaged: {error}", remedy="Start anew: --fresh.") from error


def _difference(before: Job, job: Job) -> str:
    return ", ".join(
        name for name in job.__struct_fields__ if getattr(before, name) != getattr(job, name)
    )


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror or error}",
        remedy="Make room, or make the folder writable; the same command goes on.",
    )
