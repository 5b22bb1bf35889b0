"""The processes that answer for a service: started, started again if they die, stopped."""

from __future__ import annotations

import logging
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.errors import UnavailableError

_log = logging.getLogger(__name__)
_PAUSE = 0.25
"""Seconds before a worker that died is started again; doubled as long as it dies at once."""
_LONGEST_PAUSE = 5.0
"""A worker that lived longer did not die at once; one that never does costs a start in so long."""
_LOOK = 0.1
_PATIENCE = 60.0
"""Seconds for a worker to begin answering."""


class Workers:
    """Workers on one listening socket.

    All accept from the same queue, so that while one is started again the others answer; they
    write one log, and count in files of one folder, each in its own.

    Parameters
    ----------
    settings : Settings
        Handed to every worker; ``serve.workers`` says how many there are.
    folder : Path
        The project folder.
    handle : int
        The listening socket.
    module : str
        What a worker runs: ``gleis.lifecycle.worker``, or ``gleis.web`` with pages.
    insecure_dev : bool
        Serve packages whoever signed them.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        handle: int,
        *,
        module: str = "gleis.lifecycle.worker",
        insecure_dev: bool = False,
    ) -> None:
        self._settings = msgspec.json.encode(settings)
        self._command = [sys.executable, "-m", module, "--project", str(folder)]
        self._command += ["--handle", str(handle)]
        self._command += ["--insecure-dev"] if insecure_dev else []
        self._handle = handle
        self._counters = Path(tempfile.mkdtemp(prefix="gleis-counters-"))
        self._stopping = threading.Event()
        self._places = [_Place(number) for number in range(settings.serve.workers)]
        self._keeper = threading.Thread(target=self._keep, name="gleis-workers", daemon=True)

    def start(self, *, wait: bool = False) -> None:
        """Start them all.

        Parameters
        ----------
        wait : bool
            Return only when all of them answer.

        Raises
        ------
        UnavailableError
            One of them does not; all are stopped again. It said why on the standard error.
        """
        waiting = [self._spawn(place) for place in self._places]
        self._keeper.start()
        if wait and not all(_answers(handle) for handle in waiting):
            self.stop()
            raise UnavailableError(
                "A worker does not start", remedy="What it wrote above says why."
            )
        for handle in waiting:
            os.close(handle)

    def stop(self) -> None:
        """Let them finish what they accepted."""
        self._stopping.set()
        self._keeper.join()
        processes = [place.process for place in self._places if place.process is not None]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._counters, ignore_errors=True)

    def _spawn(self, place: _Place) -> int:
        """Start a worker; return where it will say that it answers."""
        said, say = os.pipe()
        counters = str(self._counters / str(place.number))
        process = subprocess.Popen(  # noqa: S603
            [*self._command, "--ready", str(say), "--counters", counters],
            stdin=subprocess.PIPE,
            pass_fds=(self._handle, say),
            start_new_session=True,
        )
        os.close(say)
        place.process, place.born = process, time.monotonic()
        # Not among the arguments: those are everybody's to read, and a tracking URL may hold a
        # password.
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as pipe:  # dead at once: seen later
                pipe.write(self._settings)
        return said

    def _keep(self) -> None:
        while not self._stopping.wait(_LOOK):
            for place in self._places:
                self._look(place)

    def _look(self, place: _Place) -> None:
        """Start a worker again if it died, and not sooner than its pause is over."""
        now = time.monotonic()
        if place.process is None or place.process.poll() is None:
            return
        if place.due is None:
            code = place.process.returncode
            _log.error("worker %d ended with %d; it is started again", place.number, code)
            if now - place.born > _LONGEST_PAUSE:
                place.pause = _PAUSE
            place.due = now + place.pause
        if now >= place.due:
            place.pause = min(2 * place.pause, _LONGEST_PAUSE)
            place.due = None
            os.close(self._spawn(place))


def run_workers(
    settings: Settings,
    folder: Path,
    listening: socket.socket,
    started: Callable[[str, int], None],
    *,
    insecure_dev: bool = False,
) -> None:
    """Serve with several workers until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
    folder : Path
        The project folder.
    listening : socket
        Closed at the end.
    started : callable
        Called with the host and port once all workers answer.
    insecure_dev : bool
        Serve packages whoever signed them.

    Raises
    ------
    UnavailableError
        A worker does not start.
    """
    stop = stop_on_signals()
    workers = Workers(settings, folder, listening.fileno(), insecure_dev=insecure_dev)
    workers.start(wait=True)
    try:
        started(*listening.getsockname()[:2])
        stop.wait()
    finally:
        workers.stop()
        listening.close()


def stop_on_signals() -> threading.Event:
    """Return what the first SIGINT or SIGTERM sets; the second ends this process."""
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop


class _Place:
    """One worker after another."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.born = 0.0
        self.pause = _PAUSE
        self.due: float | None = None
        """When a dead one is started again."""


def _answers(handle: int) -> bool:
    """Wait until a worker says that it answers; False if it dies or takes too long."""
    readable, _, _ = select.select([handle], [], [], _PATIENCE)
    return bool(readable) and os.read(handle, 1) == b"."
