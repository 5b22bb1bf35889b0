"""Two windows of a million rows side by side, beside Evidently and frouros.

Thirty columns: twenty-five numbers and five categories, two of them shifted. Ours compares all of
them, exactly and from sketches; Evidently runs its drift preset, frouros the same two-sample tests
column by column, each in an environment of its own, in turn in one run. The columns called changed
are printed, so that nobody is fast by not looking.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from gleis.data.profile import profile
from gleis.monitoring.windows.compare import compare
from measure.environments import install

PEERS = Path(__file__).parent / "drift_peers"
WANTED = {
    "evidently": ("evidently>=0.7", "pandas<3", "pyarrow"),
    "frouros": ("frouros>=0.9", "pandas<3", "pyarrow", "setuptools<81"),
}
GOALS = {"exact_1m": "<= 1", "sketch_1m": "<= 0.02", "ratio_to_evidently": ">= 60"}
SHIFTED = ("x3", "c2")


def window(rows: int, seed: int, *, shifted: bool) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {}
    for i in range(25):
        centre = 0.05 if shifted and f"x{i}" in SHIFTED else 0.0
        columns[f"x{i}"] = rng.normal(centre, 1 + i / 10, rows)
    for i in range(5):
        shares = np.full(8, 1 / 8)
        if shifted and f"c{i}" in SHIFTED:
            shares = shares + np.linspace(-0.01, 0.01, 8)
        columns[f"c{i}"] = rng.choice(list("abcdefgh"), rows, p=shares)
    return pl.DataFrame(columns)


def timed(work: object, turns: int) -> tuple[float, object]:
    best, found = float("inf"), None
    for _ in range(turns):
        started = time.perf_counter()
        found = work()  # type: ignore[operator]
        best = min(best, time.perf_counter() - started)
    return best, found


def ask(name: str, first: Path, second: Path) -> dict[str, object]:
    python = install(f"drift-{name}", *WANTED[name]) / "bin" / "python"
    command = [str(python), str(PEERS / f"{name}_windows.py"), str(first), str(second)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args()
    a, b = (window(options.rows, seed, shifted=seed == 1) for seed in (0, 1))
    exact, found = timed(lambda: compare(a, b), options.turns)
    print(f"gleis, rows:     {exact:8.3f} s  changed: {found.changed}", flush=True)
    first = profile(a, a.columns)
    second = profile(b, b.columns, like=first)
    sketch, found = timed(lambda: compare(first, second), options.turns)
    print(f"gleis, sketches: {sketch:8.3f} s  changed: {found.changed}", flush=True)
    figures = {"exact_1m": exact, "sketch_1m": sketch}
    if not options.without_peers:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in ("a.parquet", "b.parquet")]
            a.write_parquet(paths[0])
            b.write_parquet(paths[1])
            for name in WANTED:
                told = ask(name, *paths)
                seconds = float(told["seconds"])  # type: ignore[arg-type]
                print(f"{name + ':':<16} {seconds:8.3f} s  changed: {told['changed']}", flush=True)
                figures[name] = seconds
                figures[f"ratio_to_{name}"] = seconds / exact
    limits = {"<=": lambda x, y: x <= y, ">=": lambda x, y: x >= y}
    missed = [
        name
        for name, goal in GOALS.items()
        if name in figures and not limits[goal[:2]](figures[name], float(goal[2:]))
    ]
    rounded = {name: round(value, 4) for name, value in figures.items()}
    print(json.dumps({"benchmark": "drift", "figures": rounded, "goals": GOALS, "missed": missed}))


if __name__ == "__main__":
    main()
