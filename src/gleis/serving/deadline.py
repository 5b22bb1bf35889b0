"""Work beside the event loop that is waited for only so long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


class Deadline:
    """Runs functions in threads and stops waiting for them after a while.

    A thread cannot be ended. One that hangs is left behind; when ``most`` of them hang, work is
    refused at once until one comes back.

    Parameters
    ----------
    seconds : float
        How long a function may take.
    most : int
        Threads at a time.

    Examples
    --------
    >>> asyncio.run(Deadline(1.0).run(lambda: 7))
    7
    """

    def __init__(self, seconds: float, most: int = 4) -> None:
        self.seconds = seconds
        self._free = threading.Semaphore(most)

    async def run(self, function: Callable[[], _T]) -> _T:
        """Return what ``function`` returns, or raise what it raises.

        Raises
        ------
        TimeoutError
            It takes longer than ``seconds``, or too many others hang already.
        """
        if not self._free.acquire(blocking=False):
            raise TimeoutError("too many calls hang")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()

        def work() -> None:
            try:
                outcome, failed = function(), False
            except BaseException as error:  # noqa: BLE001 - whatever it is, the waiter hears of it
                outcome, failed = error, True  # type: ignore[assignment]
            self._free.release()
            with suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, future, outcome, failed)

        # A daemon: a thread that hangs must not keep the process from ending.
        threading.Thread(target=work, name="gleis-model", daemon=True).start()
        async with asyncio.timeout(self.seconds):
            return await future


def _settle(future: asyncio.Future[_T], outcome: _T, failed: bool) -> None:
    if future.done():
        return
    if failed:
        future.set_exception(outcome)  # type: ignore[arg-type]
    else:
        future.set_result(outcome)
