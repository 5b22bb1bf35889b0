"""Put load on a server: wrk where it is installed, else the client beside this file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from measure.cores import client_core, pin

HERE = Path(__file__).parent
WRK = shutil.which("wrk")


class Load(NamedTuple):
    """What a server answered under load."""

    answered: int
    """Requests answered with 200."""
    refused: int
    """Answered with another status."""
    broken: int
    """Connections that broke, and requests without an answer."""
    seconds: float
    p50: float
    """Seconds from request to answer, the median."""
    p99: float

    @property
    def rate(self) -> float:
        """Requests answered with 200, a second."""
        return self.answered / self.seconds


def put_load(
    port: int, path: str, bodies: Path, *, connections: int, seconds: float, wrk: bool = True
) -> Load:
    """Post the bodies (one a line) over and over, on connections that are kept.

    Every connection asks again as soon as it is answered. The client has a core of its own.
    """
    with_wrk = wrk and WRK is not None
    command = (_wrk if with_wrk else _client)(port, path, bodies, connections, seconds)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        pin(client.pid, client_core())
        told, _ = client.communicate()
    if client.returncode:
        raise RuntimeError(f"{command[0]} failed with {client.returncode}: {told}")
    return Load(**json.loads(told.splitlines()[-1]))


Command = Callable[[int, str, Path, int, float], list[str]]


def _wrk(port: int, path: str, bodies: Path, connections: int, seconds: float) -> list[str]:
    told = ["-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s"]
    url = f"http://127.0.0.1:{port}{path}"
    return ["wrk", *told, "-s", str(HERE / "load.lua"), url, "--", str(bodies)]


def _client(port: int, path: str, bodies: Path, connections: int, seconds: float) -> list[str]:
    told = ["127.0.0.1", str(port), path, str(bodies), str(connections), str(seconds)]
    return [sys.executable, str(HERE / "load_client.py"), *told]
