"""Where files are: a folder of this machine, or a bucket. What is done with them is the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from gleis.contracts.dataset import SourceFile
from gleis.data.sources.formats import Shape
from gleis.data.sources.settled import UNFINISHED
from gleis.data.sources.source import Notes, Part, Taken

_MAGIC = "*?["


class File(Protocol):
    """A file as it was last looked at."""

    @property
    def name(self) -> str:
        """As the project names it."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def hash(self, before: SourceFile | None, notes: Notes) -> str:
        """Return ``sha256:...`` of its bytes.

        Parameters
        ----------
        before : SourceFile, optional
            As it was taken.
        notes : Notes
            Remember what was looked at.

        Raises
        ------
        DataError
            It cannot be read.
        FileNotFoundError
            It vanished.
        Unsettled
            It changes just now.
        """
        ...

    def read(self, hash_: str, shape: Shape) -> Part:
        """Return its rows; raises as ``hash`` does."""
        ...


class Place(Protocol):
    """Finds the files that a source names."""

    def files(self, taken: Taken, notes: Notes) -> Iterator[File]:
        """Yield files in the order of their names; no kind of file that is read: told to ``notes``.

        Raises
        ------
        DataError, UnavailableError
            The place fails.
        """
        ...


class Unsettled(Exception):  # noqa: N818 - caught in this room, nobody is told of it
    """A file changes while it is read."""


def is_pattern(where: str) -> bool:
    """Say whether a source names its files by a pattern."""
    return any(sign in where for sign in _MAGIC)


def fixed_part(where: str) -> str:
    """Return the folder that a pattern begins with.

    Examples
    --------
    >>> fixed_part("raw/2013-*/a.csv"), fixed_part("*.csv")
    ('raw', '')
    """
    parts = where.split("/")
    first = next((at for at, part in enumerate(parts) if is_pattern(part)), len(parts))
    return "/".join(parts[:first])


def matches(key: Sequence[str], pattern: Sequence[str]) -> bool:
    """Say whether the parts of a path are those of a pattern; ``**`` stands for any folders.

    Examples
    --------
    >>> matches("a/b/c.csv".split("/"), "a/**/*.csv".split("/"))
    True
    >>> matches("a/b/c.csv".split("/"), "a/*.csv".split("/"))
    False
    """
    if not pattern:
        return not key
    if pattern[0] == "**":
        return any(matches(key[at:], pattern[1:]) for at in range(len(key) + 1))
    return bool(key) and fnmatchcase(key[0], pattern[0]) and matches(key[1:], pattern[1:])


def is_passed_over(parts: Sequence[str]) -> bool:
    """Say whether a path is hidden or not complete yet, by the names below a source's own.

    A folder such as ``_temporary`` holds what is still being written.

    Examples
    --------
    >>> is_passed_over(["_temporary", "a.csv"]), is_passed_over(["a.csv.part"])
    (True, True)
    >>> is_passed_over(["2013", "a.csv"])
    False
    """
    hidden = any(part.startswith((".", "_", "~")) for part in parts)
    return hidden or parts[-1].endswith((*UNFINISHED, "~"))
