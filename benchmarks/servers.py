"""Our ASGI application under uvicorn and under granian, and as ``gleis serve`` runs it.

All three serve one trained project of flights from one environment, one worker each, in turn:
once on the servers' core alone, once free to use every core. Granian works on threads of its own
beside Python's, so that requests a CPU second say more than requests a second. Nothing is asked of
the figures; the decision they led to is docs/adr/0006-http-server.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import gleis
from measure.cores import CORES, server_core
from measure.environments import install
from measure.flights import run, train
from measure.load import put_load
from measure.server_process import ServerProcess, free_port
from serving_peers.answers import RIGHT

HERE = Path(__file__).parent
GRANIAN = "granian==2.8.7"
SECONDS = 3.0
Command = Callable[[Path, Path, int], list[str]]


class Run(NamedTuple):
    """One process under load."""

    rate: float
    """Requests a second."""
    per_cpu_second: float
    cores: float
    """CPU seconds a second."""
    p99_ms: float
    memory_mb: float


def gleis_serve(env: Path, project: Path, port: int) -> list[str]:
    asked = ["--project", str(project), "--port", str(port)]
    return [str(env / "bin" / "python"), "-m", "gleis", "serve", *asked]


def uvicorn(env: Path, _: Path, port: int) -> list[str]:
    told = ["--factory", "serving_peers.gleis_app:make", "--port", str(port), "--workers", "1"]
    told += ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "on"]
    quiet = ["--no-access-log", "--no-server-header", "--no-proxy-headers"]
    return [str(env / "bin" / "uvicorn"), *told, *quiet, "--log-level", "warning"]


def granian(env: Path, _: Path, port: int) -> list[str]:
    told = ["--factory", "serving_peers.gleis_app:make", "--port", str(port), "--workers", "1"]
    told += ["--interface", "asgi", "--loop", "uvloop", "--http", "1", "--no-ws"]
    told += ["--runtime-threads", "1", "--runtime-mode", "st", "--backpressure", "1024"]
    return [str(env / "bin" / "granian"), *told, "--no-access-log", "--log-level", "warning"]


SERVERS: dict[str, Command] = {"gleis_serve": gleis_serve, "uvicorn": uvicorn, "granian": granian}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--project", type=Path, help="a trained flights project; its log grows")
    asked = parser.parse_args()
    env = make_environment()
    runs: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        project = (asked.project or train(folder / "punctuality")).resolve()
        bodies = write_bodies(folder)
        for turn in range(asked.turns):
            for name, command in SERVERS.items():
                for kind, cores in (("pinned", server_core()), ("free", set(CORES))):
                    home = folder / f"{name}-{kind}-{turn}"
                    home.mkdir()
                    found = measure(command, env, project, bodies, home, cores)
                    runs.setdefault(f"{name}_{kind}", []).append(found)
                    print(f"turn {turn}: {name} {kind}: {found}", flush=True)
    figures = summarise(runs)
    print(json.dumps({"benchmark": "servers", "figures": figures, "goals": {}, "missed": []}))


def make_environment() -> Path:
    """Return an environment with granian and what gleis needs, as it is installed here."""
    needs = run([sys.executable, "-c", INSTALLED], HERE).split()
    return install("servers", GRANIAN, *needs)


INSTALLED = """

from importlib.metadata import requires, version, PackageNotFoundError
from packaging.requirements import Requirement
found, pending = {}, ["gleis"]
while pending:
    for text in requires(pending.pop()) or ():
        need = Requirement(text)
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        name = need.name.lower()
        if name in found:
            continue
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
        pending.append(name)
print("\\n".join(f"{name}=={number}" for name, number in sorted(found.items())))
"""
"""Names and versions of everything that gleis needs, without its extras."""


def write_bodies(folder: Path) -> Path:
    """Vary the hour, the minute and the weekday: as many requests, one a line."""
    bodies = folder / "bodies.txt"
    rows = [
        {**RIGHT, "hour": 5 + n % 19, "minute": n % 60, "weekday": 1 + n % 7} for n in range(2_000)
    ]
    bodies.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    return bodies


def measure(
    command: Command, env: Path, project: Path, bodies: Path, folder: Path, cores: set[int]
) -> Run:
    """Start a server, load it with 64 connections, stop it."""
    port = free_port()
    told = {
        "FLIGHTS_PROJECT": str(project),
        "PYTHONPATH": os.pathsep.join([str(Path(gleis.__file__).parents[1]), str(HERE)]),
    }
    with ServerProcess(command(env, project, port), port, folder, told, cores) as server:
        server.first_answer("/predict", json.dumps(RIGHT).encode())
        put_load(port, "/predict", bodies, connections=64, seconds=1)
        before = server.cpu()
        load = put_load(port, "/predict", bodies, connections=64, seconds=SECONDS)
        cpu = server.cpu() - before
        memory = server.resident_mb()
    return Run(load.rate, load.answered / cpu, cpu / load.seconds, load.p99 * 1e3, memory)


def summarise(runs: dict[str, list[Run]]) -> dict[str, float]:
    figures = {}
    for name, found in runs.items():
        figures[f"rps_{name}"] = round(median(one.rate for one in found))
        figures[f"per_cpu_second_{name}"] = round(median(one.per_cpu_second for one in found))
        figures[f"cores_{name}"] = round(median(one.cores for one in found), 2)
        figures[f"p99_ms_{name}"] = round(median(one.p99_ms for one in found), 2)
        figures[f"memory_mb_{name}"] = round(median(one.memory_mb for one in found), 1)
    return figures


if __name__ == "__main__":
    main()
