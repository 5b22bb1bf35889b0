"""``gleis up``: the service in a process of its own, the loop beside it in this one."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

import msgspec

from gleis.config.durations import parse_duration
from gleis.lifecycle.asking import open_service
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.results import Tick
from gleis.lifecycle.service_process import open_port
from gleis.lifecycle.workbench import Workbench

_log = logging.getLogger(__name__)
_PAUSE = 1.0
"""Seconds before a service that died is started again."""


def run_up(
    bench: Workbench,
    started: Callable[[str, int], None],
    on_tick: Callable[[Tick], None] | None = None,
) -> None:
    """Serve and loop until SIGINT or SIGTERM.

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
    port = open_port(bench.settings)
    stop = _stop_on_signals()
    service = _Service(bench, port.fileno())
    host, number = port.getsockname()[:2]
    try:
        service.start()
        with Workflows(bench.home.folder, bench) as workflows:
            workflows.finish()
            started(host, number)
            _loop(Loop(bench, workflows.retrain), service, stop, on_tick)
    finally:
        service.stop()
        port.close()


def _loop(
    loop: Loop,
    service: _Service,
    stop: threading.Event,
    on_tick: Callable[[Tick], None] | None,
) -> None:
    every = parse_duration(loop.bench.settings.loop.every, "loop.every").total_seconds()
    while not stop.wait(every):
        service.revive()
        try:
            tick = loop.tick()
        except Exception:  # noqa: BLE001 - the service goes on; the next look tries again
            _log.exception("the loop's look failed")
            continue
        if on_tick is not None:
            on_tick(tick)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop


class _Service:
    """The service's process."""

    def __init__(self, bench: Workbench, handle: int) -> None:
        self._command = [
            sys.executable,
            "-m",
            "gleis.web",
            "--project",
            str(bench.folder),
            "--settings",
            msgspec.json.encode(bench.settings).decode(),
            "--handle",
            str(handle),
        ]
        self._handle = handle
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            self._command, pass_fds=(self._handle,), start_new_session=True
        )

    def revive(self) -> None:
        """Start the service again if it died."""
        if self._process is not None and self._process.poll() is not None:
            _log.error("the service ended with %d; it is started again", self._process.returncode)
            threading.Event().wait(_PAUSE)
            self.start()

    def stop(self) -> None:
        """Let it finish what it accepted."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
