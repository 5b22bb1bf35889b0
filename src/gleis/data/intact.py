"""Versions held against what was recorded of them: their rows must still have their hash."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from gleis.data.content import chain, hash_columns, hash_nothing, hash_rows
from gleis.store.tables.column_types import ROW
from gleis.store.tables.log import LoggedFile, State, in_order

if TYPE_CHECKING:
    from gleis.contracts.dataset import DatasetVersion
    from gleis.store.objects.objects import Objects

_AT_ONCE = 4_000_000
"""Values that are read at once; of more, one column after another."""
Seen = Callable[[int], None]
"""Told how many rows more were looked at."""


class Damage(NamedTuple):
    """What is wrong with a version."""

    told: str
    files: tuple[str, ...] = ()
    """Which files of its table, where that is known."""


class _Damaged(Exception):  # noqa: N818
    """Stops the look at a version; it never leaves this file."""

    def __init__(self, told: str, files: Sequence[str] = ()) -> None:
        super().__init__(told)
        self.damage = Damage(told, tuple(files))


class Holder:
    """Holds versions of one dataset against their hashes; no row is read twice.

    Of an append only its own rows are read: those of its parent are in the same files, and were
    looked at with it. Where they are in other files they are read there too.

    Parameters
    ----------
    objects : Objects
        Where the table is.
    prefix : str
        Of its objects.
    recorded : sequence of DatasetVersion
        All versions, with the places where their rows are now.
    sizes : mapping of str to int
        Name of each file that is there -> bytes.
    moved : collection of int
        Versions that were written anew because a subject was erased.
    seen : callable, optional
    """

    def __init__(
        self,
        objects: Objects,
        prefix: str,
        recorded: Sequence[DatasetVersion],
        sizes: Mapping[str, int],
        moved: frozenset[int] = frozenset(),
        seen: Seen = lambda rows: None,
    ) -> None:
        self._objects = objects
        self._prefix = prefix
        self._by_number = {version.version: version for version in recorded}
        self._sizes = sizes
        self._moved = moved
        self._seen = seen
        self._looked: list[str] = []
        self._whole: dict[str, tuple[str, ...]] = {}
        """Content -> files in which it was seen to be."""

    def damage(self, version: DatasetVersion, state: State | None) -> Damage | None:
        """Say what is wrong with a version; None if it is whole.

        Parameters
        ----------
        version : DatasetVersion
        state : dict or None
            Its files, as the log names them; None if the log cannot tell.

        Raises
        ------
        StoreError
            The place fails; a file that is damaged does not count as that.
        """
        if state is None:
            return Damage("the log of its table is damaged")
        files = in_order(state)
        for file in files:
            size = self._sizes.get(file.name)
            if size is None:
                return Damage(f"{file.name} is missing", (file.name,))
            if size != file.size:
                told = f"{file.name} has {size:,} bytes and should have {file.size:,}"
                return Damage(told, (file.name,))
        try:
            self._hold(version, files)
        except _Damaged as found:
            return found.damage
        return None

    def has_own(self, version: DatasetVersion, state: State) -> bool:
        """Say whether the rows that a version added to its parent's are in these files.

        That is known although the parent's rows are lost: its hash is recorded.
        """
        files = in_order(state)
        parent = self._by_number.get(version.parent) if version.parent is not None else None
        if parent is not None and parent.content == version.content:
            return self.has_own(parent, state)
        if sum(file.rows or 0 for file in files) != version.rows:
            return False
        begin, before = (parent.rows, parent.content) if parent is not None else (0, None)
        try:
            own = self._hash(version, files, begin, version.rows)
            if chain(before, own) == version.content:
                return True
            return version.version in self._moved and self._is_anew(version, files)
        except _Damaged:
            return False

    def _hold(self, version: DatasetVersion, files: Sequence[LoggedFile]) -> None:
        names = tuple(file.name for file in files)
        if self._whole.get(version.content) == names:
            return
        rows = sum(file.rows or 0 for file in files)
        if None not in (file.rows for file in files) and rows != version.rows:
            raise _Damaged(f"its table has {rows:,} rows and should have {version.rows:,}")
        if not self._is_chain(version, files) and not (
            version.version in self._moved and self._is_anew(version, files)
        ):
            raise _Damaged(
                f"its rows do not have the recorded hash {version.content[:12]}", self._looked
            )
        self._whole[version.content] = names

    def _is_chain(self, version: DatasetVersion, files: Sequence[LoggedFile]) -> bool:
        """Say whether its rows, behind those of its ancestors, have its hash."""
        names = tuple(file.name for file in files)
        for each, parent in reversed(self._ancestors(version)):
            begin = parent.rows if parent is not None else 0
            known = self._whole.get(each.content)
            if known is not None and known == names[: len(known)]:
                continue
            if parent is not None and each.content == parent.content:
                continue
            rows = self._hash(each, files, begin, each.rows)
            if chain(parent.content if parent is not None else None, rows) != each.content:
                return False
        return True

    def _is_anew(self, version: DatasetVersion, files: Sequence[LoggedFile]) -> bool:
        return chain(None, self._hash(version, files, 0, version.rows)) == version.content

    def _ancestors(
        self, version: DatasetVersion
    ) -> list[tuple[DatasetVersion, DatasetVersion | None]]:
        """Return a version with its parent, that with its parent, ... as far as must be read."""
        found = []
        each: DatasetVersion | None = version
        while each is not None:
            parent = self._by_number.get(each.parent) if each.parent is not None else None
            found.append((each, parent))
            if each is not version and each.content in self._whole:
                break
            each = parent
        return found

    def _hash(
        self, version: DatasetVersion, files: Sequence[LoggedFile], begin: int, end: int
    ) -> str:
        """Return the hash of the rows at places ``begin`` to ``end`` of a version's files."""
        if begin >= end:
            return hash_nothing(version.columns)
        pieces = list(_pieces(files, begin, end))
        self._looked = [file.name for file, _, _ in pieces]
        names = list(version.columns)
        with tempfile.TemporaryDirectory() as room:
            paths = [(self._local(file, Path(room)), at, rows) for file, at, rows in pieces]
            try:
                found = _hash(paths, names, end - begin)
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
                told = str(error).partition("\n")[0]
                which = ", ".join(self._looked[:3])
                raise _Damaged(
                    f"its rows cannot be read from {which}: {told}", self._looked
                ) from error
        self._seen(end - begin)
        return found

    def _local(self, file: LoggedFile, room: Path) -> Path:
        key = f"{self._prefix}/{file.name}"
        path = getattr(self._objects, "path", None)
        if path is not None:
            return Path(path(key))
        copy = room / file.name.replace("/", "-")
        if not copy.exists():
            self._objects.download(key, copy)
        return copy


def _pieces(
    files: Sequence[LoggedFile], begin: int, end: int
) -> Iterator[tuple[LoggedFile, int, int]]:
    """Return which rows of which files stand at places ``begin`` to ``end``: first, and how many.

    A file whose rows the log does not count is not known to be elsewhere, so it is an error.
    """
    start = 0
    for file in files:
        if file.rows is None:
            raise _Damaged(f"the log does not say how many rows {file.name} has")
        low, high = max(begin, start), min(end, start + file.rows)
        if low < high:
            yield file, low - start, high - low
        start += file.rows


def _hash(pieces: Sequence[tuple[Path, int, int]], names: Sequence[str], height: int) -> str:
    """Hash rows of files, all columns at once if they are few, else one after another."""
    for path, _, _ in pieces:
        _check_ends(path)
    if height * len(names) <= _AT_ONCE:
        return hash_rows(_take(pieces, names))
    return hash_columns(height, (_take(pieces, [name])[name] for name in names))


def _take(pieces: Sequence[tuple[Path, int, int]], names: Sequence[str]) -> pl.DataFrame:
    found = []
    for path, first, rows in pieces:
        part = pl.read_parquet(path, columns=[*names, ROW])
        if not part[ROW].is_sorted():
            part = part.sort(ROW)
        found.append(part.slice(first, rows).select(names))
    return pl.concat(found)


def _check_ends(path: Path) -> None:
    """Refuse what is no Parquet, which polars would panic on."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-4, 2)
        if head != b"PAR1" or file.read(4) != b"PAR1":
            raise OSError("it is no Parquet file")
