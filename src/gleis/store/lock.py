"""One loop a project: a lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from gleis.contracts.errors import StoreError


class Lock:
    """An advisory lock on a file.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock.

        Raises
        ------
        StoreError
            If another process holds it.
        """
        if not self.try_take():
            raise StoreError(
                "another process runs the loop of this project",
                seen=str(self._path),
                remedy="Stop it (gleis up, demo or backtest), or use another state folder.",
            )

    def try_take(self) -> bool:
        """Take the lock unless another process holds it; return whether it was taken.

        Raises
        ------
        StoreError
            The file cannot be opened.
        """
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreError(
                f"A lock cannot be opened: {error.strerror or error}",
                seen=str(self._path),
                remedy="Make the state folder writable, or set another with GLEIS_STATE.",
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def await_take(self, seconds: float = 5.0) -> None:
        """Take the lock; whoever only looks whether it is held lets go of it at once.

        Raises
        ------
        StoreError
            If another process still holds it after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while not self.try_take():
            if time.monotonic() > deadline:
                self.take()
            time.sleep(0.01)

    def keep(self) -> bool:
        """Say whether it is ours: the system takes a file's lock from no living process."""
        return self._handle is not None

    def held(self) -> bool:
        """Say whether another process holds it."""
        taken = self.try_take()
        self.release()
        return not taken

    def release(self) -> None:
        """Let go of it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


LOOP = "loop.lock"
"""Held by whoever retrains or watches: one at a time."""
PRESENCE = "loop.running"
"""Held by the loop as long as it runs: others see by it that one is there."""
