"""A server as a process of its own: started, timed, looked at, stopped. Linux only."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from measure.cores import pin, server_core

TICKS = os.sysconf("SC_CLK_TCK")
# One thread of OpenMP or BLAS: a server has one core, and threads that wait cost more than they do.
THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "PYTHONUNBUFFERED": "1",
}


class ServerProcess:
    """A command that serves on a port, with all processes it starts.

    Parameters
    ----------
    command : list of str
    port : int
    folder : Path
        Where it runs; what it says goes to ``server.log`` there.
    environment : dict
        Added to this process's own.
    cores : set of int, optional
        Where it may run; by default the core of servers.
    """

    def __init__(
        self,
        command: list[str],
        port: int,
        folder: Path,
        environment: dict[str, str] | None = None,
        cores: set[int] | None = None,
    ) -> None:
        self.port = port
        self.log = folder / "server.log"
        self.started = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **THREADS, **QUIET, **(environment or {})},
                start_new_session=True,
            )
        pin(self.process.pid, server_core() if cores is None else cores)

    def first_answer(self, path: str, body: bytes, patience: float = 120) -> float:
        """Ask until the answer is 200; return the seconds since the start.

        Raises
        ------
        RuntimeError
            If it ends or does not answer in time, with the end of its log.
        """
        last: tuple[int, Any] = (0, "nobody listens")
        while time.perf_counter() < self.started + patience and self.process.poll() is None:
            try:
                last = self.ask(path, body, timeout=10)
            except OSError as error:
                last = (0, error)
            if last[0] == 200:
                return time.perf_counter() - self.started
            time.sleep(0.005)
        told = self.log.read_text(errors="replace")[-1500:]
        raise RuntimeError(f"no answer, but {last[0]} {str(last[1])[:300]}; its log: {told}")

    def ask(self, path: str, body: bytes, timeout: float = 60) -> tuple[int, Any]:
        """Post a body on a new connection; return the status and the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"not an answer: {error!r}") from error
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def cpu(self) -> float:
        """Return the CPU seconds of all its processes so far."""
        return sum(int(stat[11]) + int(stat[12]) for _, stat in self._processes()) / TICKS

    def resident_mb(self) -> float:
        """Return the resident memory of all its processes in MB."""
        return sum(_resident_kb(folder) for folder, _ in self._processes()) / 1024

    def _processes(self) -> list[tuple[Path, list[str]]]:
        """Return its session and all descendants: some servers give theirs a session."""
        stats = {int(folder.name): (folder, stat) for folder, stat in _stats()}
        found = {pid for pid, (_, stat) in stats.items() if int(stat[3]) == self.process.pid}
        while more := {pid for pid, (_, stat) in stats.items() if int(stat[1]) in found} - found:
            found |= more
        return [stats[pid] for pid in found]

    def stop(self) -> None:
        """Ask it to end, then end what is left of its session."""
        started = self._processes()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        # Field 19 is when a process began: a number that another one has by now is left alone.
        now = {folder: stat[19] for folder, stat in _stats()}
        for folder, stat in started:
            if now.get(folder) == stat[19]:
                try:
                    os.kill(int(folder.name), signal.SIGKILL)
                except ProcessLookupError:  # it went by itself
                    continue

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _resident_kb(folder: Path) -> int:
    try:
        lines = (folder / "status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _stats() -> list[tuple[Path, list[str]]]:
    """Return ``/proc/N`` and the fields of its ``stat`` after the name, for every process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder, (folder / "stat").read_text().rpartition(")")[2].split()))
        except OSError:  # it has just ended
            continue
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
