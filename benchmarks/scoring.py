"""``gleis score`` on 10 million flights beside its own model in memory; and its peak memory.

The rows are the departures from April on, repeated and jittered, in one parquet file. In memory,
the package's model scores arrays that were read, checked and typed before the clock starts, in as
many threads as there are cores and in the same parts: no reading, no checks, no writing. The
command is a whole process, from its start to its end. In turn: memory, command, memory, ...
Scores of both must be equal. Peak memory is compared between a tenth of the rows and all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from measure.flights import AS_OF, run, train

GOALS = {"ratio_to_raw": ">= 0.8", "peak_mb": "constant: <= 1.1 peak_mb_tenth"}
HOLDS: dict[str, Callable[[dict[str, float]], bool]] = {
    "ratio_to_raw": lambda figures: figures["ratio_to_raw"] >= 0.8,
    "peak_mb": lambda figures: figures["peak_mb"] <= 1.1 * figures["peak_mb_tenth"],
}
RAW_ROWS = 2_000_000
PART = 131_072

WRITE_ROWS = f"""
import sys
import numpy as np
import polars as pl
import pyarrow.parquet as pq
sys.path.insert(0, ".")
from punctuality import departures
since = pl.lit("{AS_OF}T00:00:00+00:00").str.to_datetime(time_zone="UTC")
rows = departures().filter(pl.col("departs_at") >= since).drop("late")
draw = np.random.default_rng(0)
wanted, target = int(sys.argv[1]), sys.argv[2]
writer, done, turn = None, 0, 0
while done < wanted:
    block = rows.head(wanted - done).with_columns(
        pl.format("{{}}-{{}}", "flight_id", pl.lit(turn)).alias("flight_id"),
        *(
            pl.col(name) + pl.Series(draw.normal(0.0, spread, min(len(rows), wanted - done)))
            for name, spread in {{"temp": 2, "dewp": 2, "wind_speed": 1, "pressure": 2}}.items()
        ),
    )
    table = block.to_arrow()
    writer = writer or pq.ParquetWriter(target, table.schema)
    writer.write_table(table, row_group_size={PART})
    done, turn = done + len(block), turn + 1
writer.close()
"""

RAW = f"""
import json, os, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import polars as pl
import gleis
from gleis.serving.batch.tables import to_table
package, source, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
scorer = gleis.load(package)
frame = pl.scan_parquet(source).head(rows).collect()
parts = [scorer.reader.read(to_table(part)) for part in frame.iter_slices({PART})]
model = scorer.package.model
model.predict(parts[0].columns)
threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
with ThreadPoolExecutor(threads) as pool:
    started = time.perf_counter()
    scores = np.concatenate(list(pool.map(lambda part: model.predict(part.columns), parts)))
    seconds = time.perf_counter() - started
print(json.dumps({{"rows_per_s": len(frame) / seconds, "scores": scores[:10_000].tolist()}}))
"""


class Scored(NamedTuple):
    """One run of the command."""

    rows_per_s: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--project", type=Path, help="a trained flights project")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        project = (asked.project or train(folder / "punctuality")).resolve()
        figures = measure(project, folder, asked.rows, asked.turns)
    missed = [name for name, holds in HOLDS.items() if not holds(figures)]
    result = {"benchmark": "scoring", "figures": figures, "goals": GOALS, "missed": missed}
    print(json.dumps(result))


def measure(project: Path, folder: Path, rows: int, turns: int) -> dict[str, float]:
    """Score in memory and with the command in turn; a ratio is taken within a turn."""
    package = next(project.glob(".gleis/packages/*/model.skops")).parent
    tenth, whole = (write_rows(project, folder, count) for count in (rows // 10, rows))
    small = score(project, tenth, folder / "tenth-scored.parquet")
    raws, commands, ratios = [raw(package, whole, rows)], [], []
    for turn in range(turns):
        commands.append(score(project, whole, folder / "scored.parquet"))
        raws.append(raw(package, whole, rows))
        ratios.append(commands[-1].rows_per_s / mean(raws[-2:]))
        print(
            f"turn {turn}: command {commands[-1].rows_per_s:,.0f} rows/s, "
            f"memory {mean(raws[-2:]):,.0f} rows/s, peak {commands[-1].peak_mb:.0f} MB",
            flush=True,
        )
    check_equal(package, whole, folder / "scored.parquet")
    return {
        "ratio_to_raw": round(median(ratios), 3),
        "peak_mb": round(max(one.peak_mb for one in commands), 1),
        "peak_mb_tenth": round(small.peak_mb, 1),
        "rows_per_s": round(median(one.rows_per_s for one in commands)),
        "rows_per_s_raw": round(median(raws)),
        "rows": rows,
    }


def write_rows(project: Path, folder: Path, rows: int) -> Path:
    target = folder / f"flights-{rows}.parquet"
    run([sys.executable, "-c", WRITE_ROWS, str(rows), str(target)], project)
    return target


def raw(package: Path, source: Path, rows: int) -> float:
    """Return the rows a second of the model alone."""
    return float(_raw(package, source, min(rows, RAW_ROWS))["rows_per_s"])


def _raw(package: Path, source: Path, rows: int) -> dict:
    told = run([sys.executable, "-c", RAW, str(package), str(source), str(rows)], source.parent)
    return json.loads(told)


def score(project: Path, source: Path, target: Path) -> Scored:
    """Run the command to its end; its peak is the largest resident memory it ever had."""
    command = [sys.executable, "-m", "gleis", "score", str(source), str(target), "--fresh"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--project", str(project), "--json"], stdout=subprocess.PIPE, text=True
    )
    with process.stdout as stdout:
        told = stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"gleis score failed: {told}")
    unit = 1e6 if sys.platform == "darwin" else 1024
    return Scored(json.loads(told)["rows"] / seconds, used.ru_maxrss / unit)


def check_equal(package: Path, source: Path, target: Path) -> None:
    """Stop if the file does not hold the scores of the model in memory."""
    import polars as pl

    wanted = _raw(package, source, 10_000)["scores"]
    got = pl.scan_parquet(target).head(len(wanted)).collect()["score"].to_list()
    apart = max(abs(one - other) for one, other in zip(got, wanted, strict=True))
    if not apart <= 1e-12:
        raise SystemExit(f"the scores are {apart} apart: not the same work")


if __name__ == "__main__":
    main()
