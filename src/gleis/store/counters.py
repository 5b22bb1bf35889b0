"""Counters that several processes keep together: one file each, summed when somebody asks."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import StoreError

Cells = NDArray[np.float64]

_CELLS = 1 << 18
"""Cells a file has room for; only those in use take space."""


class Counters:
    """Cells of numbers by name, written in memory that outlives the process.

    A process writes its own file through a mapping: an update is a store to memory, no call to
    the system, and what was counted stays counted if the process is killed. A process that takes
    a dead one's place opens the dead one's file and counts on.

    Parameters
    ----------
    path : Path, optional
        Stem of this process's two files, ``STEM.names`` and ``STEM.cells``, in a folder that holds
        nothing but those of the others. None counts in this process's memory only.

    Raises
    ------
    StoreError
        The files cannot be written.

    Examples
    --------
    >>> counters = Counters()
    >>> counters.cells("requests")[0] += 3
    >>> counters.sums()["requests"].tolist()
    [3.0]
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._own: dict[str, Cells] = {}
        self._used = 0
        self._all: Cells | None = None
        if path is not None:
            try:
                self._open(path)
            except OSError as error:
                raise StoreError(
                    f"Counters cannot be kept in {path.parent}: {error}",
                    remedy="Make room in the folder for temporary files, or make it writable.",
                ) from error

    def cells(self, name: str, count: int = 1) -> Cells:
        """Return the cells of a name, (count,), to be updated in place; new ones are zero.

        Raises
        ------
        StoreError
            There is no room for them.
        """
        with self._lock:
            found = self._own.get(name)
            if found is None or len(found) != count:
                found = self._own[name] = self._take(name, count)
            return found

    def names(self) -> list[str]:
        """Return the names this process counts under."""
        with self._lock:
            return list(self._own)

    def sums(self) -> dict[str, Cells]:
        """Return all names and what all processes counted under them."""
        if self._path is None:
            with self._lock:
                return {name: cells.copy() for name, cells in self._own.items()}
        total: dict[str, Cells] = {}
        for names in sorted(self._path.parent.glob("*.names")):
            for name, cells in _read(names):
                known = total.get(name)
                same = known is not None and len(known) == len(cells)
                total[name] = known + cells if same and known is not None else cells
        return total

    def each(self, name: str) -> list[Cells]:
        """Return what every process counted under a name, each for itself."""
        if self._path is None:
            with self._lock:
                return [self._own[name].copy()] if name in self._own else []
        files = sorted(self._path.parent.glob("*.names"))
        return [cells for names in files for known, cells in _read(names) if known == name]

    def _open(self, path: Path) -> None:
        names, file = path.with_suffix(".names"), path.with_suffix(".cells")
        with file.open("a+b") as opened:
            opened.truncate(8 * _CELLS)  # sparse: room without use takes no space
            mapped = mmap.mmap(opened.fileno(), 8 * _CELLS)
        self._all = np.frombuffer(mapped, dtype=np.float64)
        self._names = names.open("ab", buffering=0)
        whole = names.read_bytes().rfind(b"\n") + 1
        self._names.truncate(whole)  # a name that was cut short has no cells yet
        for name, count in _lines(names):
            self._own[name] = self._all[self._used : self._used + count]
            self._used += count

    def _take(self, name: str, count: int) -> Cells:
        if self._all is None:
            return np.zeros(count)
        if self._used + count > _CELLS:
            raise StoreError("There is no room for more counters", seen=name)
        cells = self._all[self._used : self._used + count]
        self._used += count
        self._names.write(f"{count}\t{name}\n".encode())
        return cells


def _lines(names: Path) -> Iterator[tuple[str, int]]:
    for line in names.read_text().split("\n")[:-1]:
        count, tab, name = line.partition("\t")
        if tab and count.isdecimal():
            yield name, int(count)


def _read(names: Path) -> Iterator[tuple[str, Cells]]:
    lines = list(_lines(names))
    total = sum(count for _, count in lines)
    cells = np.fromfile(names.with_suffix(".cells"), dtype=np.float64, count=total)
    start = 0
    for name, count in lines:
        yield name, cells[start : start + count]
        start += count
