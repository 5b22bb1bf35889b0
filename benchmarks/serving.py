"""``gleis serve`` beside FastAPI + pandas, LitServe, BentoML, MLServer and ``mlflow models serve``.

All answer the same rows of flights over HTTP with the same fitted model, one worker each, every
server on the same core and the load generator on another. Ours is a real ``gleis serve`` with
everything on: contract, outlier scores, profiles, and a log on disk before each answer; the peers
score and answer, nothing else. Before it is measured a server must give the scores that
scikit-learn gives, to 1e-9; only answers with status 200 count.

In turn: ours, a peer, ours, the next peer ... A ratio is taken within a turn, against what ours
did just before and just after. Peers are installed into environments of their own, in the user's
cache folder. Linux only (it reads ``/proc``).
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

from measure.flights import run, train
from measure.load import WRK, Load, put_load
from measure.server_process import ServerProcess
from serving_peers.answers import WRONG, ask_wrong
from serving_peers.catalogue import (
    OURS,
    PEERS,
    Contender,
    Files,
    Variant,
    as_line,
    environment,
    exporting,
)

GOALS = {
    "rps_64": ">= 15000",
    "p50_ms_1": "<= 0.5",
    "p99_ms_64": "<= 15",
    "batch_rows_per_s": ">= 120000",
    "cold_start": "<= 1.0",
    "memory_mb": "<= 150",
    "ratio_to_fastapi": ">= 60",
    "ratio_to_best_peer": ">= 12",
}
HOLDS: dict[str, Callable[[float], bool]] = {
    "rps_64": lambda rate: rate >= 15_000,
    "p50_ms_1": lambda milliseconds: milliseconds <= 0.5,
    "p99_ms_64": lambda milliseconds: milliseconds <= 15,
    "batch_rows_per_s": lambda rate: rate >= 120_000,
    "cold_start": lambda seconds: seconds <= 1.0,
    "memory_mb": lambda megabytes: megabytes <= 150,
    "ratio_to_fastapi": lambda ratio: ratio >= 60,
    "ratio_to_best_peer": lambda ratio: ratio >= 12,
}
ROWS, BATCHES, BATCH_ROWS = 2_000, 20, 1_000
SAMPLE = 50
QUICK = ("fastapi", "litserve_batched")

ROWS_OF_FLIGHTS = """
import json, sys, random
from datetime import UTC, datetime
sys.path.insert(0, ".")
import polars as pl
from punctuality import departures
rows = departures().filter(pl.col("departs_at") >= datetime(2013, 4, 1, tzinfo=UTC))
rows = rows.drop("flight_id", "departs_at", "late").sample(int(sys.argv[1]), seed=0)
for row in rows.iter_rows(named=True):
    print(json.dumps(row))
"""
SKLEARN_SCORES = """
import json, sys
import joblib
from frame import frame_of
rows = [json.loads(line) for line in open(sys.argv[2])]
print(json.dumps(joblib.load(sys.argv[1]).predict_proba(frame_of(rows))[:, 1].tolist()))
"""


class Measured(NamedTuple):
    """What one process of a server did."""

    cold_start: float
    many: Load
    """64 connections, a row a request."""
    cpu: float
    """CPU seconds of the server a request of ``many``."""
    lone: Load | None
    """One connection, a row a request."""
    batch: Load | None
    """Four connections, 1,000 rows a request."""
    memory_mb: float
    answers: dict[str, dict[str, Any]]


class Track(NamedTuple):
    """What every measurement needs."""

    files: Files
    rows: list[dict[str, Any]]
    scores: list[float]
    """scikit-learn's, of ``rows``."""
    seconds: float
    folders: Iterator[Path]


Found = dict[str, list[Measured]]
FAILURES = (subprocess.CalledProcessError, RuntimeError, OSError, LookupError, TypeError)
"""How a peer may fail to be installed, to start, or to answer as it should."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one turn of 2 s, two peers")
    parser.add_argument("--only", metavar="NAME", help="ours beside one peer; gleis: ours alone")
    parser.add_argument("--project", type=Path, help="a trained flights project; its log grows")
    asked = parser.parse_args()
    names = [asked.only] if asked.only else QUICK if asked.quick else [p.name for p in PEERS]
    peers = [peer for peer in PEERS if peer.name in names]
    if asked.only and asked.only != "gleis" and not peers:
        parser.error(f"--only wants gleis or one of {', '.join(p.name for p in PEERS)}")
    with tempfile.TemporaryDirectory() as folder:
        track = prepare(Path(folder), asked.project, 2.0 if asked.quick else 3.0)
        chosen, reasons = choose(track, peers)
        found, ratios = measure(track, chosen, reasons, 1 if asked.quick else asked.turns)
    figures = summarise(found, ratios, [peer.name for peer in PEERS])
    show(found, ratios, reasons)
    missed = [name for name in HOLDS if not held(name, figures[name])]
    result = {"benchmark": "serving", "figures": figures, "goals": GOALS, "missed": missed}
    print(json.dumps(result))


def held(name: str, figure: float | None) -> bool:
    """Return whether a goal is kept; without its peer it is not."""
    return figure is not None and HOLDS[name](figure)


def prepare(folder: Path, trained: Path | None, seconds: float) -> Track:
    """Train the model, write it as the peers load it, draw rows, score them with scikit-learn."""
    say(f"load: {'wrk' if WRK else 'asyncio client'}")
    project = trained.resolve() if trained else train(folder / "punctuality")
    python, here = exporting(), Path(__file__).with_name("serving_peers")
    model, rows_file = folder / "model.joblib", folder / "rows.jsonl"
    package = next(project.glob(".gleis/packages/*/model.skops"))
    run([python, str(here / "export.py"), str(package), str(model)], folder)
    rows_file.write_text(run([sys.executable, "-c", ROWS_OF_FLIGHTS, str(ROWS)], project))
    scores = run([python, "-c", SKLEARN_SCORES, str(model), str(rows_file)], here)
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()]
    return Track(
        Files(project, model, rows_file), rows, json.loads(scores), seconds, _folders(folder)
    )


def choose(
    track: Track, peers: list[Contender]
) -> tuple[list[tuple[Contender, Path, Variant]], dict[str, str]]:
    """Install every peer and find its fastest variant; say why one is left out."""
    chosen, reasons = [], {}
    for peer in peers:
        try:
            env = environment(peer)
            variant = _best_variant(track, peer, env)
        except FAILURES as error:
            leave_out(peer, error, reasons)
        else:
            chosen.append((peer, env, variant))
    return chosen, reasons


def _best_variant(track: Track, peer: Contender, env: Path) -> Variant:
    """Try each for a moment at 64 connections."""
    rates = []
    for variant in peer.variants:
        with started(track, peer, env, variant) as (server, _):
            warm_up(track, peer, server)
            rates.append(put(track, peer, server, 64, 2).rate if len(peer.variants) > 1 else 0.0)
        if rates[-1]:
            say(f"  {peer.name} {variant}: {rates[-1]:.0f} requests/s")
    return peer.variants[rates.index(max(rates))]


def leave_out(peer: Contender, error: Exception, reasons: dict[str, str]) -> None:
    """Note why a peer has no figures."""
    told = getattr(error, "stderr", None) or f"{type(error).__name__}: {error}"
    reasons[peer.name] = str(told)[-1500:]
    say(f"{peer.name} is left out: {reasons[peer.name]}")


def measure(
    track: Track,
    chosen: list[tuple[Contender, Path, Variant]],
    reasons: dict[str, str],
    turns: int,
) -> tuple[Found, dict[str, list[float]]]:
    """Measure ours and every peer in turn."""
    found: Found = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    for turn in range(turns):
        found["gleis"].append(one_measurement(track, OURS, Path(), {}, full=True))
        for peer, env, variant in chosen:
            before = found["gleis"][-1]
            try:
                theirs = one_measurement(track, peer, env, variant, full=not found[peer.name])
            except FAILURES as error:
                leave_out(peer, error, reasons)
                continue
            after = one_measurement(track, OURS, Path(), {}, full=False)
            found[peer.name].append(theirs)
            found["gleis"].append(after)
            ours = mean([before.many.rate, after.many.rate])
            ratios[peer.name].append(ours / theirs.many.rate)
            say(
                f"turn {turn}: {peer.name} {theirs.many.rate:.0f} requests/s, gleis {ours:.0f}; "
                f"CPU a request {theirs.cpu * 1e6:.0f} and {after.cpu * 1e6:.0f} us"
            )
    return found, ratios


def one_measurement(
    track: Track, contender: Contender, env: Path, variant: Variant, *, full: bool
) -> Measured:
    """Start a server, load it, look at its memory, stop it."""
    with started(track, contender, env, variant) as (server, cold_start):
        warm_up(track, contender, server)
        before = server.cpu()
        many = put(track, contender, server, 64, track.seconds)
        cpu = (server.cpu() - before) / max(many.answered, 1)
        lone = put(track, contender, server, 1, 2) if full else None
        batch = put(track, contender, server, 4, 2, batched=True) if full else None
        memory = server.resident_mb()
        answers = ask_wrong(contender, server) if full else {}
    return Measured(cold_start, many, cpu, lone, batch, memory, answers)


@contextmanager
def started(
    track: Track, contender: Contender, env: Path, variant: Variant
) -> Iterator[tuple[ServerProcess, float]]:
    """Start a server, wait for its first answer and check that it does the same work."""
    with contender.start(env, next(track.folders), track.files, variant) as server:
        row = as_line(contender.one(track.rows[:1]))
        cold_start = server.first_answer(contender.path, row)
        check_scores(track, contender, server)
        yield server, cold_start


def check_scores(track: Track, contender: Contender, server: ServerProcess) -> None:
    """Stop if its answers are not scikit-learn's scores of these rows."""
    sample = random.Random(1).sample(range(ROWS), SAMPLE)
    got = []
    for place in sample:
        _, answer = server.ask(contender.path, as_line(contender.one([track.rows[place]])))
        got += contender.scores(answer)
    wanted = [track.scores[place] for place in sample]
    _, answer = server.ask(contender.batch_path, as_line(contender.many(track.rows[:BATCH_ROWS])))
    got += contender.scores(answer)
    wanted += track.scores[:BATCH_ROWS]
    if len(got) != len(wanted):
        raise RuntimeError(f"{contender.name} gives {len(got)} scores, not {len(wanted)}")
    apart = max(abs(one - other) for one, other in zip(got, wanted, strict=True))
    if not apart <= 1e-9:
        raise RuntimeError(f"{contender.name} is {apart} apart from scikit-learn: other work")


def warm_up(track: Track, contender: Contender, server: ServerProcess) -> None:
    """Let it answer 64 connections for a moment, and finish what it was asked."""
    put_load(
        server.port,
        contender.path,
        bodies_of(track, contender, batched=False),
        connections=64,
        seconds=1,
    )
    server.ask(contender.path, as_line(contender.one(track.rows[:1])))


def put(
    track: Track,
    contender: Contender,
    server: ServerProcess,
    connections: int,
    seconds: float,
    *,
    batched: bool = False,
) -> Load:
    """Put load on a server; 200 must be among its answers."""
    path = contender.batch_path if batched else contender.path
    bodies = bodies_of(track, contender, batched=batched)
    load = put_load(server.port, path, bodies, connections=connections, seconds=seconds)
    server.ask(contender.path, as_line(contender.one(track.rows[:1])))
    if not load.answered:
        raise RuntimeError(f"{contender.name} answered nothing with 200: {load}")
    return load


def bodies_of(track: Track, contender: Contender, *, batched: bool) -> Path:
    """Return a file of requests in a server's own form, one a line."""
    kind = "many" if batched else "one"
    bodies = track.files.model.with_name(f"{contender.name}-{kind}.txt")
    if not bodies.exists():
        bodies.write_bytes(b"\n".join(_bodies(track.rows, contender, batched)) + b"\n")
    return bodies


def _bodies(rows: list[dict[str, Any]], contender: Contender, batched: bool) -> Iterator[bytes]:
    if batched:
        draw = random.Random(2)
        for _ in range(BATCHES):
            yield as_line(contender.many(draw.sample(rows, BATCH_ROWS)))
    else:
        yield from (as_line(contender.one([row])) for row in rows)


def summarise(
    found: Found, ratios: dict[str, list[float]], names: list[str]
) -> dict[str, float | None]:
    """Turn measurements into medians; a peer that was not measured is null."""
    ours = found["gleis"]
    full = [one for one in ours if one.lone and one.batch]
    shares = {name: median(ratio) for name, ratio in ratios.items()}
    batch_rates = [one.batch.rate * BATCH_ROWS for one in full if one.batch]
    figures: dict[str, float | None] = {
        "rps_64": round(median(one.many.rate for one in ours)),
        "p50_ms_1": round(median(one.lone.p50 for one in full if one.lone) * 1e3, 3),
        "p99_ms_64": round(median(one.many.p99 for one in ours) * 1e3, 2),
        "batch_rows_per_s": round(median(batch_rates)),
        "cold_start": round(median(one.cold_start for one in ours), 3),
        "memory_mb": round(max(one.memory_mb for one in ours), 1),
        "ratio_to_fastapi": round(shares["fastapi"], 1) if "fastapi" in shares else None,
        "ratio_to_best_peer": round(min(shares.values()), 1) if shares else None,
        "cpu_us": round(median(one.cpu for one in ours) * 1e6, 1),
    }
    for name in names:
        peer = found.get(name)
        figures[f"rps_64_{name}"] = round(median(o.many.rate for o in peer), 1) if peer else None
        figures[f"cpu_us_{name}"] = round(median(o.cpu for o in peer) * 1e6, 1) if peer else None
    return figures


def show(found: Found, ratios: dict[str, list[float]], reasons: dict[str, str]) -> None:
    """Print what stands beside the figures: every server, and its answers to wrong rows."""
    say("\nserver            req/s 64  ratio  p99 ms 64  p50 ms 1  rows/s batch  start s     MB")
    measured_at_all = {name: measured for name, measured in found.items() if measured}
    for name, measured in measured_at_all.items():
        first = measured[0]
        if first.lone is None or first.batch is None:
            raise RuntimeError(f"the first measurement of {name} is not a full one")
        ratio = f"{median(ratios[name]):5.1f}" if name in ratios else "    1"
        say(
            f"{name:17} {median(one.many.rate for one in measured):8.0f}  {ratio}  "
            f"{median(one.many.p99 for one in measured) * 1e3:9.1f}  {first.lone.p50 * 1e3:8.2f}  "
            f"{first.batch.rate * BATCH_ROWS:12.0f}  "
            f"{median(one.cold_start for one in measured):7.2f}  {first.memory_mb:5.0f}"
        )
    say("\nanswers to        " + "".join(f"{name:24}" for name in WRONG))
    for name, measured in measured_at_all.items():
        cells = [_cell(measured[0].answers[wrong]) for wrong in WRONG]
        say(f"{name:17} " + "".join(f"{cell:24}" for cell in cells))
    for name, reason in reasons.items():
        say(f"{name}: not measured: {reason}")


def _cell(answer: dict[str, Any]) -> str:
    beside = [answer["field"]] if "field" in answer else answer.get("flags", [])
    return " ".join([str(answer["status"]), *beside])


def _folders(folder: Path) -> Iterator[Path]:
    for number in count():
        made = folder / f"server{number}"
        made.mkdir()
        yield made


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
