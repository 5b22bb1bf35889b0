"""Sixteen processes that write one prediction log: in PostgreSQL, and in a SQLite file.

Beside them, on the same server, what PostgreSQL does if each commit keeps the log's lock until it
is synced (``held``), as one would write it first. All append entries of ten features, durable, as
fast as they can; a lone writer too. Figures are medians of turns in which each has its turn. The
server (``pgserver``'s, else the system's) is our child, with its own defaults.

``slow_disk``: with 2 ms more a sync (``commit_delay``), as a network disk or a standby has.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from gleis.contracts.prediction import Batch
from gleis.store.log.log_store import LogStore
from gleis.store.log.sqlite_log import SqlitePredictionLog
from gleis.store.postgres.log import PostgresPredictionLog
from gleis.store.postgres.postgres import Postgres
from postgres_server import PostgresServer, find_binaries

WRITERS, ROWS = 16, 4
GOALS = {
    "rows_per_s_16": ">= 15000",
    "lone_ms": "<= 1",
    "ratio_to_held": ">= 1.5",
    "ratio_to_held_slow_disk": ">= 4",
}
_HELD = """CREATE OR REPLACE PROCEDURE append(
    INOUT _seq bigint, _token text, _at bigint, _rows integer, _fallbacks integer,
    _entities text, _batches bytea)
LANGUAGE plpgsql AS $$
BEGIN
    _seq := enter(_token, _at, _rows, _fallbacks, _entities, _batches);
END $$"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement")
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed: pip install pgserver")
    found: dict[str, list[float]] = {}
    server = PostgresServer(binaries)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for turn in range(asked.turns):
                measure(server, Path(folder), turn, asked.seconds, found)
    finally:
        server.remove()
    figures = {name: round(median(values), 3) for name, values in found.items()}
    figures["ratio_to_held"] = round(figures["rows_per_s_16"] / figures["held_rows_per_s_16"], 2)
    figures["ratio_to_held_slow_disk"] = round(
        figures["slow_disk_rows_per_s_16"] / figures["slow_disk_held_rows_per_s_16"], 2
    )
    holds = {
        "rows_per_s_16": figures["rows_per_s_16"] >= 15_000,
        "lone_ms": figures["lone_ms"] <= 1,
        "ratio_to_held": figures["ratio_to_held"] >= 1.5,
        "ratio_to_held_slow_disk": figures["ratio_to_held_slow_disk"] >= 4,
    }
    missed = [name for name, kept in holds.items() if not kept]
    print(
        json.dumps(
            {"benchmark": "log_writers", "figures": figures, "goals": GOALS, "missed": missed}
        )
    )


def measure(
    server: PostgresServer, folder: Path, turn: int, seconds: float, found: dict[str, list[float]]
) -> None:
    """Let each have a turn."""
    hold(server.url(), f"held_{turn}")
    told = {
        "": lambda: postgres(server.url(), f"ours_{turn}"),
        "held_": lambda: postgres(server.url(), f"held_{turn}"),
        "sqlite_": lambda: SqlitePredictionLog(folder / f"{turn}.db"),
    }
    for name, opened in told.items():
        note(found, f"{name}rows_per_s_16", ROWS * sum(map(len, write(opened, WRITERS, seconds))))
        found[f"{name}rows_per_s_16"][-1] /= seconds
        (alone,) = write(opened, 1, seconds / 3)
        note(found, f"{name}lone_ms", 1000 * median(alone))
    slow(server, "2000")
    for name in ("", "held_"):
        commits = sum(map(len, write(told[name], WRITERS, seconds)))
        note(found, f"slow_disk_{name}rows_per_s_16", ROWS * commits / seconds)
    slow(server, "0")


def note(found: dict[str, list[float]], name: str, value: float) -> None:
    found.setdefault(name, []).append(value)


def slow(server: PostgresServer, microseconds: str) -> None:
    """Let each sync take longer."""
    server.execute(f"ALTER SYSTEM SET commit_delay = {microseconds}")
    server.execute("ALTER SYSTEM SET commit_siblings = 0")
    server.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


def postgres(url: str, schema: str) -> PostgresPredictionLog:
    return PostgresPredictionLog(Postgres(url, schema))


def hold(url: str, schema: str) -> None:
    """Make a log whose lock is held until a commit is synced."""
    postgres(url, schema)
    database = Postgres(url, schema)
    database.write(_HELD)
    database.close()


def write(opened: Callable[[], LogStore], writers: int, seconds: float) -> list[list[float]]:
    """Return how long each commit of each writer took."""
    opened()
    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    ready, start = context.Semaphore(0), context.Event()
    arguments = (opened, ROWS if writers > 1 else 1, seconds, answers, ready, start)
    processes = [context.Process(target=append, args=arguments) for _ in range(writers)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    start.set()
    found = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return found


def append(
    opened: Callable[[], LogStore], rows: int, seconds: float, answers: Any, ready: Any, start: Any
) -> None:
    """Append entries until the time is over."""
    log, batch, took = opened(), batch_of(rows), []
    log.append([batch])
    ready.release()
    start.wait()
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        log.append([batch])
        took.append(time.perf_counter() - began)
    answers.put(took)
    answers.close()
    answers.join_thread()
    os._exit(0)  # connections of the parent are not ours to close


def batch_of(rows: int) -> Batch:
    now = datetime.now(UTC)
    return Batch(
        at=now,
        version=2,
        digest="d" * 64,
        fallback=False,
        rows=rows,
        features={f"feature {at}": [at + row / 7 for row in range(rows)] for at in range(10)},
        scores=[1 / (3 + row) for row in range(rows)],
        entities=[f"AA{row}" for row in range(rows)],
        times=[now] * rows,
        flags={},
        outliers=[row / 3 for row in range(rows)],
    )


if __name__ == "__main__":
    main()
