"""A real Prometheus, Alertmanager and webhook around a live service, for tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx

Found = TypeVar("Found")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PROMETHEUS = shutil.which("prometheus")


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(check: Callable[[], Found], what: str, seconds: float = 60) -> Found:
    """Wait until a check finds something, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.25)
    raise AssertionError(f"not in time: {what}")


class Program:
    """A program that was started here, and is ended by its own process id.

    Parameters
    ----------
    command : sequence of str
    log : Path
        What it prints.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        self.log = log

    def answers(self, url: str) -> Program:
        """Wait until it answers 200 there."""

        def ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            try:
                return httpx.get(url, timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(ready, url)
        return self

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class Webhook:
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        kept = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *what: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def alerts(self, name: str, status: str) -> list[Any]:
        """Return alerts of a name that came with a status, ``firing`` or ``resolved``."""
        return [
            alert
            for message in list(self.posted)
            for alert in message["alerts"]
            if alert["labels"]["alertname"] == name and alert["status"] == status
        ]

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class Stack:
    """Prometheus and Alertmanager, started with the files that gleis wrote.

    Parameters
    ----------
    folder : Path
        From ``gleis build monitoring``; made quicker here: a second instead of 15 s or minutes.
    ports : tuple of int
        Of Prometheus and of Alertmanager.
    """

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        self._folder = folder
        self.url = f"http://127.0.0.1:{ports[0]}"
        _edit(folder / "prometheus.yml", ("15s", "1s"))
        _edit(
            folder / "alertmanager.yml",
            ("group_wait: 10s", "group_wait: 0s"),
            ("group_wait: 1m", "group_wait: 0s"),
            ("group_interval: 10m", "group_interval: 1s"),
            ("group_interval: 1m", "group_interval: 1s"),
        )
        assert PROMETHEUS is not None
        assert ALERTMANAGER is not None
        self.alertmanager = Program(
            [
                ALERTMANAGER,
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alerts'}",
                f"--web.listen-address=127.0.0.1:{ports[1]}",
                "--cluster.listen-address=",
            ],
            folder / "alertmanager.log",
        ).answers(f"http://127.0.0.1:{ports[1]}/-/ready")
        self.prometheus = Program(
            [
                PROMETHEUS,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'series'}",
                f"--web.listen-address=127.0.0.1:{ports[0]}",
            ],
            folder / "prometheus.log",
        ).answers(f"{self.url}/-/ready")

    def ask(self, query: str) -> list[Any]:
        """Return what a query finds now."""
        answer = httpx.post(f"{self.url}/api/v1/query", data={"query": query}, timeout=20).json()
        assert answer["status"] == "success", (query, answer)
        found: list[Any] = answer["data"]["result"]
        return found

    def targets(self) -> list[Any]:
        """Return the targets it scrapes."""
        answer = httpx.get(f"{self.url}/api/v1/targets", timeout=20).json()
        found: list[Any] = answer["data"]["activeTargets"]
        return found

    def stop(self) -> None:
        """End both."""
        self.prometheus.stop()
        self.alertmanager.stop()


def _edit(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text, (path.name, old)
        text = text.replace(old, new)
    path.write_text(text)
