"""One worker of a service: a process that answers on a port which is open already.

``python -m gleis.lifecycle.worker --project FOLDER --handle N`` is started by
``lifecycle/workers.py``, which holds the listening socket ``N`` and writes the settings it was
given to the standard input, as JSON.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import GleisError
from gleis.lifecycle.service_process import make_app, on_the_wire
from gleis.serving.http import App
from gleis.serving.run import Application, serve
from gleis.store.counters import Counters
from gleis.store.home import Home, open_home

Wrap = Callable[[App, Settings, Home], Application]


def run_worker(wrap: Wrap = lambda app, settings, home: app) -> int:
    """Serve until told to stop; return the exit code.

    Parameters
    ----------
    wrap : callable
        Puts something around the service's application: the pages of ``gleis up``.
    """
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    _follow_parent(os.getppid())
    folder = Path(options.project)
    try:
        settings = msgspec.json.decode(sys.stdin.buffer.read(), type=Settings)
        home = open_home(folder, settings)
        wire = on_the_wire(settings, folder)
        app = make_app(
            settings,
            home,
            SystemClock(),
            folder,
            insecure_dev=options.insecure_dev,
            counters=Counters(options.counters),
        )
    except GleisError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    listening = socket.socket(fileno=options.handle)
    listening.setblocking(False)

    def ready(host: str, port: int) -> None:
        with suppress(BrokenPipeError):  # nobody waits to hear of it
            os.write(options.ready, b".")
        os.close(options.ready)

    serve(wrap(app, settings, home), listening, started=ready, **wire)
    home.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gleis worker")
    parser.add_argument("--project", required=True)
    parser.add_argument("--handle", required=True, type=int, help="the listening socket")
    parser.add_argument("--ready", required=True, type=int, help="where to say that it answers")
    parser.add_argument("--counters", required=True, type=Path, help="see store/counters.py")
    parser.add_argument("--insecure-dev", action="store_true")
    return parser.parse_args()


def _follow_parent(parent: int) -> None:
    """Stop when the process that started this one is gone, even if it was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(run_worker())
