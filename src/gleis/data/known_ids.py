"""Which ids a dataset holds already: found without reading its rows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.store.tables.files import TableFile
from gleis.store.tables.table import DeltaTable

Marks = NDArray[np.uint64]

_FEW = 200_000
"""So many rows are read sooner than a file of marks is opened."""
_STEP = 1_000_000
_LONGER = 30
_PROBE = pl.Series(["", "a", "\u00e4" * 9, "x" * 99])


class KnownIds:
    """Looks new ids up among those of a table's version.

    The log says the smallest and largest id of every file, so files whose range lies elsewhere are
    not looked at: with ids that grow, none is. Of others a file of *marks* is kept, one number of
    64 bits an id, sorted: the number itself, or a hash of the text. It is made at the first look
    and holds as long as the table's file, which never changes. No mark in common: no id in common.
    A mark in common is looked up in the table itself, so the answer is exact.

    Parameters
    ----------
    table : DeltaTable
    folder : Path
        Where marks are kept; it can be deleted at any time.

    Notes
    -----
    8 bytes a row, and only of files whose ids overlap with later ones.
    """

    def __init__(self, table: DeltaTable, folder: Path) -> None:
        self._table = table
        # Another release of the table library may hash otherwise: then marks are made anew.
        self._folder = folder / np.bitwise_xor.reduce(_marks_of(_PROBE)).tobytes().hex()
        self._all = folder

    def repeated(self, ids: pl.Series, version: int) -> pl.Series:
        """Return those of ``ids`` that a version of the table holds, in their order.

        Parameters
        ----------
        ids : Series
            (n_rows,) without null, of the type that the table's column has, and of its name.
        version : int
            Of the table.

        Raises
        ------
        StoreError
            A file of the version is missing or damaged.
        """
        if ids.is_empty():
            return ids
        near = [file for file in self._table.files(version, ids.name) if _overlaps(file, ids)]
        if not near:
            return ids.clear()
        markable = ids.dtype.is_integer() or ids.dtype == pl.String
        few = sum(file.rows for file in near) <= _FEW
        if markable and not few:
            marks = np.sort(_marks_of(ids))
            if not any(_share(marks, self._marks(file, ids.name, version)) for file in near):
                return ids.clear()
        return self._exactly(ids, near, version)

    def forget(self, names: Sequence[str]) -> None:
        """Delete the marks of files that are deleted themselves."""
        for name in names:
            for path in self._all.glob(f"*/{_file_name(name)}"):
                path.unlink(missing_ok=True)

    def forget_all(self) -> None:
        """Delete the marks of all files."""
        shutil.rmtree(self._all, ignore_errors=True)

    def _exactly(self, ids: pl.Series, near: Sequence[TableFile], version: int) -> pl.Series:
        found = [
            part.filter(part.is_in(ids.implode()))
            for file in near
            for part in self._parts(file, ids.name, version)
        ]
        return ids.filter(ids.is_in(pl.concat(found).implode()))

    def _parts(self, file: TableFile, column: str, version: int) -> list[pl.Series]:
        if file.first is None or file.last is None:
            return [self._table.within(version, None, None, column)]
        return [
            self._table.within(version, first, min(first + _STEP - 1, file.last), column)
            for first in range(file.first, file.last + 1, _STEP)
        ]

    def _marks(self, file: TableFile, column: str, version: int) -> Marks:
        path = self._folder / _file_name(file.name)
        try:
            kept = np.load(path, mmap_mode="r", allow_pickle=False)
            if kept.dtype == np.uint64 and kept.ndim == 1:
                return kept  # type: ignore[no-any-return]
        except (OSError, ValueError):
            pass  # none yet, or one that was cut: it is made anew
        made = np.sort(
            np.concatenate([_marks_of(part) for part in self._parts(file, column, version)])
        )
        _keep(path, made)
        return made


def _overlaps(file: TableFile, ids: pl.Series) -> bool:
    # Moments are cut to milliseconds in the log, and floats have no order that all agree on.
    if file.low is None or file.high is None or not isinstance(file.low, int | str):
        return file.rows > 0
    low: Any = ids.min()
    high: Any = ids.max()
    return bool(file.low <= high and low <= file.high)


def _marks_of(ids: pl.Series) -> Marks:
    if ids.dtype == pl.String:
        return ids.hash(seed=0).to_numpy()
    return ids.cast(pl.Int64).to_numpy().view(np.uint64)


def _share(new: Marks, known: Marks) -> bool:
    """Say whether two sorted arrays have a number in common; rarely also where one has one twice.

    A stable sort merges two sorted runs in one pass, which is quicker than looking each number up
    unless the other array is much longer.
    """
    if not len(known):
        return False
    if len(known) > _LONGER * len(new):
        place = np.minimum(np.searchsorted(known, new), len(known) - 1)
        return bool((known[place] == new).any())
    both = np.concatenate([new, known])
    both.sort(kind="stable")
    return bool((both[1:] == both[:-1]).any())


def _keep(path: Path, marks: Marks) -> None:
    """Write marks whole or not at all; without room for them, they are made again next time."""
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            np.save(file, marks)
        draft.replace(path)
    except OSError:
        if draft.exists():
            draft.unlink()


def _file_name(name: str) -> str:
    return f"{name.replace('/', '-')}.npy"
