"""Writers of a dataset take turns: one lock for processes, one for threads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from gleis.contracts.errors import StoreError

if TYPE_CHECKING:
    from gleis.store.home import Home

_PATIENCE = 600.0
"""Seconds that a writer waits for another one: the first load of a large table takes minutes."""
_LOOK = 0.01
"""Seconds between two tries to take the lock."""


class Turns:
    """Whose turn it is to write to a dataset, among all that use the same state or database.

    Parameters
    ----------
    home : Home
    dataset : str
        Name of the dataset.
    """

    def __init__(self, home: Home, dataset: str) -> None:
        self._home = home
        self._dataset = dataset
        self._lock = home.lock(f"dataset-{dataset}.lock")
        self._thread = RLock()
        self._depth = 0

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Wait for the turn and keep it; within it, the same thread may ask again.

        Raises
        ------
        StoreError
            If another process still writes after ten minutes.
        """
        with self._thread:
            if self._depth == 0:
                self._await()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._lock.release()

    def _await(self) -> None:
        self._home.create()
        deadline = time.monotonic() + _PATIENCE
        while not self._lock.try_take():
            if time.monotonic() > deadline:
                raise StoreError(
                    f"Another process has been writing to the dataset {self._dataset} for ten "
                    "minutes",
                    remedy="Wait for it, or stop it.",
                )
            time.sleep(_LOOK)
