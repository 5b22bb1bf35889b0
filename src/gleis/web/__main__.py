"""The service with its pages, on a port that is already open.

``python -m gleis.web --project FOLDER --handle N`` is started by ``gleis up``, which holds the
listening socket ``N`` and writes the settings it was given to the standard input, as JSON.
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
from pathlib import Path

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import GleisError
from gleis.lifecycle.service_process import make_app, on_the_wire
from gleis.serving.run import serve
from gleis.store.home import Home
from gleis.web.site import Site


def main() -> int:
    """Serve until told to stop; return the exit code."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    _follow_parent(os.getppid())
    folder = Path(options.project)
    try:
        settings = msgspec.json.decode(sys.stdin.buffer.read(), type=Settings)
        home = Home(folder / settings.state)
        wire = on_the_wire(settings, folder)
        app = make_app(settings, home, SystemClock(), folder, insecure_dev=options.insecure_dev)
    except GleisError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    listening = socket.socket(fileno=options.handle)
    listening.setblocking(False)
    serve(Site(app, settings, home), listening, **wire)
    home.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gleis.web")
    parser.add_argument("--project", required=True)
    parser.add_argument("--handle", required=True, type=int)
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
    sys.exit(main())
