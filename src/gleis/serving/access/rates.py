"""Requests a caller may send, counted over all workers of this machine."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from gleis.contracts.caller import Limit
from gleis.contracts.errors import StoreError, TooManyError

SLOTS = 1 << 16
"""Callers with a clock of their own; of tokens' subjects, two may rarely share one."""


class Rates:
    """The generic cell rate algorithm, one float a caller, in memory that workers share.

    A caller's float is the moment at which everything it sent would have been sent evenly. A
    request is let through if that moment lies at most a period ahead. The memory is a file of this
    machine's that every worker maps; reading and writing a float costs no system call and no lock.
    Two workers that write at the very same moment may let one request too many through.

    Parameters
    ----------
    path : Path
        The file; made, with 512 KB that take no room until used, if it is not there.
    time : callable, optional
        Seconds of a clock that all processes of this machine share.

    Raises
    ------
    StoreError
        The file cannot be made or mapped.

    References
    ----------
    ITU-T Recommendation I.371 (2004), "Traffic control and congestion control in B-ISDN",
    annex A: the virtual scheduling algorithm.

    Examples
    --------
    >>> import tempfile
    >>> rates = Rates(Path(tempfile.mkdtemp()) / "rates", time=lambda: 100.0)
    >>> twice = Limit(2, 1.0)
    >>> rates.take(0, twice), rates.take(0, twice)
    (None, None)
    >>> rates.take(0, twice)
    Traceback (most recent call last):
        ...
    gleis.contracts.errors.TooManyError: The caller may send 2 per second. Try again in 0.5 s.
    """

    def __init__(self, path: Path, time: Callable[[], float] = monotonic) -> None:
        self._time = time
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if os.fstat(handle).st_size < 8 * SLOTS:
                    os.ftruncate(handle, 8 * SLOTS)
                self._memory = mmap.mmap(handle, 8 * SLOTS)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(
                f"The rates of callers cannot be kept: {error.strerror or error}",
                seen=str(path),
                remedy="Make the state folder writable, or set another with GLEIS_STATE.",
            ) from error
        self._due = memoryview(self._memory).cast("d")

    def take(self, slot: int, limit: Limit) -> None:
        """Count a request of the caller in ``slot``.

        Raises
        ------
        TooManyError
            It is over the limit; nothing was counted.
        """
        now, period = self._time(), limit.seconds
        step = period / limit.count
        due = self._due[slot % SLOTS]
        # Further ahead than any request could have brought it: the machine was started anew.
        if due < now or due > now + period + 1e-6:
            due = now
        wait = due + step - now - period
        if wait > 1e-9:
            raise TooManyError(
                f"The caller may send {limit}",
                remedy=f"Try again in {max(wait, 0.01):.2g} s.",
                retry_after=wait,
            )
        self._due[slot % SLOTS] = due + step
