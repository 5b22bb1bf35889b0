"""A million rows of thirty columns analysed and compared, beside fg-data-profiling.

Numbers with and without gaps, counts, categories, an id, a time and a target. Ours finds everything
that `gleis data show` tells (columns, missing together, pairs, time, duplicates, target), scans an
append for personal data, and compares the table with one that has 10,000 rows more and a thousand
mended values. fg-data-profiling, the living name of ydata-profiling, runs its minimal report on the
same rows (columns only: no pairs, no duplicates) and its full one on a tenth of them, in an
environment of its own. In turn; the best of the turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from gleis.data.analysis.analyse import analyse
from gleis.data.analysis.compare import compare_tables
from gleis.data.privacy.scan import scan
from measure.environments import install

PEER = Path(__file__).parent / "analysis_peers" / "fg_profile.py"
WANTED = ("fg-data-profiling>=4.20", "pyarrow", "setuptools<81")
GOALS = {"profile_1m": "<= 2", "diff_1m": "<= 5", "ratio_to_fg_minimal": ">= 5"}
HOLDS: dict[str, Callable[[float], bool]] = {
    "profile_1m": lambda seconds: seconds <= 2,
    "diff_1m": lambda seconds: seconds <= 5,
    "ratio_to_fg_minimal": lambda ratio: ratio >= 5,
}
ROLES = {"id": "id", "at": "time", "y": "target"}


def table(rows: int) -> pl.DataFrame:
    """Thirty columns: numbers, a quarter of them with gaps, categories, id, time, target."""
    draw = np.random.default_rng(0)
    columns: dict[str, object] = {"id": np.arange(rows)}
    base = draw.normal(size=rows)
    for i in range(21):
        columns[f"x{i}"] = draw.normal(i, 1 + i, rows) + (i % 3 == 0) * base
    for i in range(5):
        columns[f"c{i}"] = draw.choice(list("abcdefgh"), rows)
    moments = np.sort(draw.integers(1_500_000_000, 1_600_000_000, rows)) * 1_000_000
    columns["at"] = pl.Series(moments.astype("datetime64[us]")).dt.replace_time_zone("UTC")
    columns["count"] = draw.poisson(3, rows)
    columns["y"] = (draw.random(rows) < 1 / (1 + np.exp(-base))).astype(np.int8)
    gaps = [
        pl.when(pl.Series(draw.random(rows) < 0.1)).then(None).otherwise(f"x{i}").alias(f"x{i}")
        for i in range(0, 21, 4)
    ]
    return pl.DataFrame(columns).with_columns(gaps)


def changed(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with a thousandth of one column mended, and a hundredth of the rows appended."""
    mended = frame.with_columns(
        pl.when(pl.col("id") % 1000 == 0).then(pl.col("x1") + 1).otherwise("x1").alias("x1")
    )
    more = frame.head(frame.height // 100).with_columns(pl.col("id") + frame.height)
    return pl.concat([mended, more])


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds, and seconds of processors."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - cpu


def ask(path: Path, how: str) -> float:
    python = install("analysis-fg", *WANTED) / "bin" / "python"
    done = subprocess.run(
        [str(python), str(PEER), str(path), how], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"fg-data-profiling failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args()
    frame = table(options.rows)
    figures = measure(frame, options.turns, peers=not options.without_peers)
    missed = [name for name, holds in HOLDS.items() if name in figures and not holds(figures[name])]
    rounded = {name: round(value, 4) for name, value in figures.items()}
    print(
        json.dumps({"benchmark": "analysis", "figures": rounded, "goals": GOALS, "missed": missed})
    )


def measure(frame: pl.DataFrame, turns: int, *, peers: bool) -> dict[str, float]:
    other = changed(frame)
    works: dict[str, Callable[[], object]] = {
        "profile_1m": lambda: analyse(frame, roles=ROLES, task="binary"),
        "diff_1m": lambda: compare_tables(frame, other, roles=ROLES, task="binary"),
        "scan_of_an_append": lambda: scan(frame),
    }
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path, tenth = Path(folder) / "rows.parquet", Path(folder) / "tenth.parquet"
        frame.write_parquet(path)
        frame.head(frame.height // 10).write_parquet(tenth)
        for turn in range(turns):
            for name, work in works.items():
                wall, cpu = timed(work)
                taken.setdefault(name, []).append(wall)
                taken.setdefault(f"{name}_cpu", []).append(cpu)
            if peers:
                taken.setdefault("fg_minimal_1m", []).append(ask(path, "minimal"))
            print(f"turn {turn}: {told(taken)}", flush=True)
        if peers:
            taken["profile_tenth"] = [timed(lambda: analyse(frame.head(frame.height // 10)))[0]]
            taken["fg_full_tenth"] = [ask(tenth, "full")]
    figures = {name: min(values) for name, values in taken.items()}
    if peers:
        figures["ratio_to_fg_minimal"] = figures["fg_minimal_1m"] / figures["profile_1m"]
        figures["ratio_to_fg_full"] = figures["fg_full_tenth"] / figures["profile_tenth"]
    return figures


def told(taken: dict[str, list[float]]) -> str:
    return ", ".join(f"{name} {values[-1]:.2f} s" for name, values in taken.items())


if __name__ == "__main__":
    main()
