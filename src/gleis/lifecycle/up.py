"""``gleis up``: the service in a process of its own, the loop beside it in this one."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TypeVar

import msgspec

from gleis.config.durations import parse_duration
from gleis.lifecycle.asking import open_service
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.results import Tick
from gleis.lifecycle.service_process import on_the_wire, open_port
from gleis.lifecycle.workbench import Workbench

Result = TypeVar("Result")
_log = logging.getLogger(__name__)
_PAUSE = 1.0
"""Seconds before a service that died is started again; doubled as long as it dies at once."""
_LONGEST_PAUSE = 60.0
_LOOK = 0.2


def run_up(
    bench: Workbench,
    started: Callable[[str, int], None],
    on_tick: Callable[[Tick], None] | None = None,
) -> None:
    """Serve and loop until SIGINT or SIGTERM.

    The first signal lets a retraining under way end; the second leaves it to the next start.

    The port is taken here and handed to the service's process, so that a service that dies can be
    started again on the same port, with requests waiting in its queue.

    Raises
    ------
    ConfigError
        The port is in use.
    UnavailableError, PackageError
        There is no champion, or its package must not be loaded.
    """
    # Said once, here: the service's process would be started in vain again and again.
    open_service(bench)
    on_the_wire(bench.settings, bench.folder)
    port = open_port(bench.settings, bench.home)
    stop = _stop_on_signals()
    service = _Service(bench, port.fileno())
    host, number = port.getsockname()[:2]
    try:
        service.start()
        with Workflows(bench.home.folder, bench) as workflows:
            started(host, number)
            _loop(Loop(bench, workflows.retrain), stop, on_tick)
    finally:
        service.stop()
        port.close()


def _loop(
    loop: Loop,
    stop: threading.Event,
    on_tick: Callable[[Tick], None] | None,
) -> None:
    every = parse_duration(loop.bench.settings.loop.every, "loop.every").total_seconds()
    _guarded(loop.resume)
    while not stop.wait(every):
        tick = _guarded(loop.tick)
        if tick is not None and on_tick is not None:
            on_tick(tick)


def _guarded(look: Callable[[], Result]) -> Result | None:
    try:
        return look()
    except Exception:  # noqa: BLE001 - the service goes on; the next look tries again
        _log.exception("the loop's look failed")
        return None


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop


class _Service:
    """The service's process, and a thread that starts it again: retrainings take their time."""

    def __init__(self, bench: Workbench, handle: int) -> None:
        self._command = [
            sys.executable,
            "-m",
            "gleis.web",
            "--project",
            str(bench.folder),
            "--handle",
            str(handle),
            *(["--insecure-dev"] if bench.insecure_dev else []),
        ]
        self._settings = msgspec.json.encode(bench.settings)
        self._handle = handle
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep_alive, name="gleis-service", daemon=True)

    def start(self) -> None:
        self._spawn()
        self._keeper.start()

    def _spawn(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            self._command,
            stdin=subprocess.PIPE,
            pass_fds=(self._handle,),
            start_new_session=True,
        )
        # Not among the arguments: those are everybody's to read, and a tracking URL may hold a
        # password.
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as pipe:  # dead at once: seen later
                pipe.write(self._settings)

    def _keep_alive(self) -> None:
        pause, born = _PAUSE, time.monotonic()
        while not self._stopping.wait(_LOOK):
            if self._process is None or self._process.poll() is None:
                continue
            _log.error("the service ended with %d; it is started again", self._process.returncode)
            if time.monotonic() - born > _LONGEST_PAUSE:
                pause = _PAUSE
            if self._stopping.wait(pause):
                return
            self._spawn()
            pause, born = min(2 * pause, _LONGEST_PAUSE), time.monotonic()

    def stop(self) -> None:
        """Let it finish what it accepted."""
        self._stopping.set()
        if self._process is None:
            return
        self._keeper.join()
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
