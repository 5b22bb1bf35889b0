"""A million rows, thirty checks: ours in one pass, beside pandera, patito, Great Expectations.

Limits of twelve numbers, a list of categories, a pattern, a key, and missing values of three
columns. The same table is given to peers in environments of their own, in turn in one run. A second
table, in which four of the checks fail, is given to all; whoever finds another number of failing
checks stops the benchmark. The project's pandera schema is asked too as we compile it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import numpy as np
import polars as pl

from gleis.contracts.checks import RowCheck
from gleis.data.checking.one_pass import check_rows_of
from gleis.data.checking.pandera_schema import PanderaSchema
from measure.environments import install

PEERS = Path(__file__).parent / "checks_peers"
WANTED = {
    "pandera": ("pandera[polars]>=0.35", "polars>=2,<3"),
    "patito": ("patito>=0.8.6", "polars>=2,<3"),
    "great_expectations": ("great-expectations>=1.24", "pandas<3", "pyarrow"),
}
NUMBERS = tuple(f"x{i}" for i in range(12))
CARRIERS = ("AA", "B6", "DL", "UA")
PATTERN = r"N\d{5}"
GOALS = {"one_pass_1m": "<= 0.1", "ratio_to_pandera": ">= 1", "ratio_to_patito": ">= 1"}
FAILING = 4


def table(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "id": rng.permutation(rows),
            "carrier": rng.choice(list(CARRIERS), rows),
            "tail": [f"N{i:05d}" for i in rng.integers(0, 4000, rows)],
            **{name: rng.normal(0, 1, rows) for name in NUMBERS},
        }
    )


def damaged(frame: pl.DataFrame) -> pl.DataFrame:
    at = pl.int_range(frame.height)
    return frame.with_columns(
        pl.when(at % 100 == 7).then(99.0).otherwise("x1").alias("x1"),
        pl.when(at % 1000 == 3).then(pl.lit("ZZ")).otherwise("carrier").alias("carrier"),
        pl.when(at % 2000 == 1).then(pl.lit("none")).otherwise("tail").alias("tail"),
        pl.when(at == 0).then(pl.col("id").last()).otherwise("id").alias("id"),
    )


def checks() -> list[RowCheck]:
    found = [
        RowCheck(column=name, rule=rule, value=value)
        for name in NUMBERS
        for rule, value in (("min", -10.0), ("max", 10.0))
    ]
    found += [RowCheck(column=name, rule="present") for name in ("id", "carrier", "tail")]
    return [
        *found,
        RowCheck(column="id", rule="unique"),
        RowCheck(column="carrier", rule="in", value=CARRIERS),
        RowCheck(column="tail", rule="matches", value=PATTERN),
    ]


def compiled() -> PanderaSchema:
    import pandera.polars as pa

    columns = {
        "id": pa.Column(int, unique=True),
        "carrier": pa.Column(str, pa.Check.isin(CARRIERS)),
        "tail": pa.Column(str, pa.Check.str_matches(f"{PATTERN}$")),
    }
    limits = [pa.Check.ge(-10.0), pa.Check.le(10.0)]
    columns |= {name: pa.Column(float, limits, nullable=True) for name in NUMBERS}
    return PanderaSchema(pa.DataFrameSchema(columns), "schema")


def by_schema(schema: PanderaSchema, frame: pl.DataFrame) -> int:
    parsed = schema.parse(frame)
    return len(check_rows_of(parsed.frame, schema.rows(frame.columns)).failing)


def timed(work: Callable[[], int], turns: int, failing: int) -> tuple[float, float, float]:
    """Return the median of seconds, their best, and CPU seconds of all threads."""
    seconds, cpu = [], []
    for _ in range(turns + 1):
        started, began = time.perf_counter(), time.process_time()
        found = work()
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - began)
        if found != failing:
            raise SystemExit(f"{found} checks fail, not {failing}")
    return median(seconds[1:]), min(seconds[1:]), median(cpu[1:])


def ask(name: str, paths: list[Path], turns: int) -> float:
    python = install(f"checks-{name}", *WANTED[name]) / "bin" / "python"
    command = [str(python), str(PEERS / f"{name}_table.py"), *map(str, paths), str(turns)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["failing"] != FAILING:
        raise SystemExit(f"{name} finds {answer['failing']} failing checks, not {FAILING}")
    return float(answer["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args()
    frame, asked = table(options.rows), checks()
    bad, schema = damaged(frame), compiled()
    assert len(asked) == 30

    def one_pass(of: pl.DataFrame) -> int:
        return len(check_rows_of(of, asked).failing)

    whole, best, cpu = timed(lambda: one_pass(frame), options.turns, 0)
    figures = {
        "one_pass_1m": whole,
        "one_pass_1m_best": best,
        "one_pass_1m_cpu": cpu,
        "failing_1m": timed(lambda: one_pass(bad), options.turns, FAILING)[0],
        "schema_compiled_1m": timed(lambda: by_schema(schema, frame), options.turns, 0)[0],
    }
    if not options.without_peers:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in ("good.parquet", "bad.parquet")]
            frame.write_parquet(paths[0])
            bad.write_parquet(paths[1])
            for name in WANTED:
                before = timed(lambda: one_pass(frame), options.turns, 0)[0]
                figures[name] = ask(name, paths, options.turns)
                after = timed(lambda: one_pass(frame), options.turns, 0)[0]
                figures[f"ratio_to_{name}"] = figures[name] / median((before, after))
    limits = {"<=": lambda x, y: x <= y, ">=": lambda x, y: x >= y}
    missed = [
        name
        for name, goal in GOALS.items()
        if name in figures and not limits[goal[:2]](figures[name], float(goal[2:]))
    ]
    rounded = {name: round(value, 4) for name, value in figures.items()}
    print(json.dumps({"benchmark": "checks", "figures": rounded, "goals": GOALS, "missed": missed}))


if __name__ == "__main__":
    main()
