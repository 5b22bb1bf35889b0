"""Ten versions of a 1 GB table, each with 1% of rows appended: gleis beside DVC.

The rows are eight numbers, a category, a random text of 38 digits as id and a growing number, as
Parquet with Zstandard. gleis appends them to a dataset. For DVC they are a file with all rows of a
version; writing it is not counted, only ``Repo.add`` in a process that has imported everything. In
turn: a version of ours, one of theirs, ... On disk: the whole state folder of gleis, and the whole
folder of DVC with the file in it. Every append of ours checks that its ids are new, among random
ones (``append``) or among growing ones (``append_growing``). DVC is installed into an environment
of its own, in the user's cache folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from gleis.config.settings import ProjectSettings, Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import DataError
from gleis.data.checkout import write_rows
from gleis.data.dataset import Datasets
from gleis.store.home import Home
from measure.environments import install

DVC = "dvc==3.67.1"
GOALS = {
    "gb_10_versions_of_1gb": "<= 1.2",
    "append": "<= 0.3",
    "append_growing": "<= 0.3",
    "dvc_gb": "beside",
    "dvc_append": "beside",
}
HOLDS: dict[str, Callable[[dict[str, float]], bool]] = {
    "gb_10_versions_of_1gb": lambda figures: figures["gb_10_versions_of_1gb"] <= 1.2,
    "append": lambda figures: figures["append"] <= 0.3,
    "append_growing": lambda figures: figures["append_growing"] <= 0.3,
}
VERSIONS = 10
SHARE = 0.01
ROWS_A_GB = 11_700_000

DVC_SERVER = """
import sys, time
answers, sys.stdout = sys.stdout, sys.stderr
from dvc.repo import Repo
repo = Repo(".")
for name in sys.stdin:
    started = time.perf_counter()
    repo.add(name.strip())
    print(time.perf_counter() - started, file=answers, flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=1.0, help="size of the first version")
    parser.add_argument("--place", type=Path, help="a folder on the disk to measure")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.place) as place:
        figures = measure(Path(place), asked.gb)
    missed = [name for name, holds in HOLDS.items() if not holds(figures)]
    result = {"benchmark": "versions", "figures": figures, "goals": GOALS, "missed": missed}
    print(json.dumps(result))


def measure(place: Path, gb: float) -> dict[str, float]:
    """Make the versions in turn and compare what is on disk; a size is per GB of the first."""
    rows = int(ROWS_A_GB * gb)
    ours = {kind: open_dataset(place / kind, kind) for kind in ("id", "number")}
    took: dict[str, list[float]] = {kind: [] for kind in (*ours, "dvc")}
    cpu: list[float] = []
    sizes: dict[str, int] = {}
    file = place / "dvc" / "rows.parquet"
    with dvc_server(place / "dvc") as add:
        start = 0
        for turn in range(VERSIONS):
            count = rows if turn == 0 else int(rows * SHARE)
            frame = make_rows(start, count, turn)
            start += count
            for kind, datasets in ours.items():
                before = time.process_time()
                took[kind].append(seconds(datasets, frame))
                if kind == "id":
                    cpu.append(time.process_time() - before)
            append_to_file(ours["id"], file)
            took["dvc"].append(add(file.name))
            first = sizes.setdefault("first", file.stat().st_size)
            print(
                f"v{turn + 1}: random ids {took['id'][-1]:.2f} s, growing "
                f"{took['number'][-1]:.2f} s, DVC {took['dvc'][-1]:.2f} s",
                flush=True,
            )
    check(ours["id"], frame)
    latest = ours["id"].latest()
    assert latest is not None
    return {
        "gb_10_versions_of_1gb": round(folder_size(place / "id") / first, 3),
        "append": round(median(took["id"][2:]), 3),
        "append_cpu": round(median(cpu[2:]), 3),
        "append_first_look": round(took["id"][1], 3),
        "append_growing": round(median(took["number"][1:]), 3),
        "dvc_gb": round(folder_size(place / "dvc") / first, 3),
        "dvc_append": round(median(took["dvc"][1:]), 3),
        "first_version": round(took["id"][0], 3),
        "dvc_first_version": round(took["dvc"][0], 3),
        "restore": round(restoring(ours["id"]), 3),
        **checking_out(place, ours["id"], latest),
        "gb": round(first / 1e9, 3),
        "rows": latest.rows,
    }


def open_dataset(folder: Path, id_column: str) -> Datasets:
    project = ProjectSettings(
        name="rows", module="rows", task="binary", target="late", id=id_column
    )
    return Datasets(Home(folder), Settings(project=project), SystemClock())


def make_rows(start: int, count: int, seed: int) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    halves = [pl.Series(draw.integers(10**18, 9 * 10**18, count)).cast(pl.String) for _ in "ab"]
    return pl.DataFrame(
        {
            "id": halves[0] + halves[1],
            "number": np.arange(start, start + count),
            **{f"x{column}": draw.normal(size=count) for column in range(8)},
            "kind": pl.Series(draw.integers(0, 20, count)).cast(pl.String),
            "late": draw.integers(0, 2, count),
        }
    )


def seconds(datasets: Datasets, frame: pl.DataFrame) -> float:
    """Append rows that are in memory; return the seconds until the version is recorded."""
    provenance = Provenance(
        source="rows:load",
        since=None,
        until=None,
        loaded_at=datetime.now(UTC),
        loaded_by="me@here",
        code="c",
    )
    started = time.perf_counter()
    datasets.append(frame, provenance)
    return time.perf_counter() - started


def append_to_file(datasets: Datasets, file: Path) -> None:
    """Write the file that a version is for DVC."""
    latest = datasets.latest()
    assert latest is not None
    write_rows(datasets.parts(latest), datasets.schema(latest), file, force=True)


@contextmanager
def dvc_server(folder: Path) -> Iterator[Callable[[str], float]]:
    """Start DVC in a folder; what is yielded adds a file and returns the seconds it took."""
    environment = install(DVC.replace("==", "-"), DVC)
    folder.mkdir()
    dvc = str(environment / "bin" / "dvc")
    for command in (
        ["git", "init", "-q"],
        [dvc, "init", "-q"],
        [dvc, "config", "core.analytics", "false"],
        [dvc, "config", "core.check_update", "false"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    server = subprocess.Popen(
        [str(environment / "bin" / "python"), "-c", DVC_SERVER],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with server, server.stdin as asking, server.stdout as answers:

        def add(name: str) -> float:
            asking.write(f"{name}\n")
            asking.flush()
            return float(answers.readline())

        yield add
        asking.close()


def check(datasets: Datasets, frame: pl.DataFrame) -> None:
    """Stop unless known ids are refused, and the first version is as it was."""
    try:
        seconds(datasets, frame.tail(1000))
    except DataError:
        pass
    else:
        raise SystemExit("ids that the table holds already were appended")
    first = datasets.get(1)
    if not datasets.read(first, ["number"])["number"].equals(pl.Series(range(first.rows))):
        raise SystemExit("the first version is not what it was")


def restoring(datasets: Datasets) -> float:
    first = datasets.get(1)
    started = time.perf_counter()
    datasets.restore(first, first.provenance)
    return time.perf_counter() - started


CHECKOUT = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from versions import open_dataset
from gleis.data.checkout import write_rows
datasets = open_dataset(Path(sys.argv[2]), "id")
version = datasets.get(sys.argv[3])
write_rows(datasets.parts(version), datasets.schema(version), Path(sys.argv[4]), force=True)
# The system's own figure begins with the memory of the process that started this one.
status = Path("/proc/self/status")
known = status.read_text() if status.exists() else ""
peak = [line.split()[1] for line in known.splitlines() if line.startswith("VmHWM")]
print(peak[0] if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def checking_out(place: Path, datasets: Datasets, version: DatasetVersion) -> dict[str, float]:
    """Check a version out in a process of its own: seconds, and the memory it took at most."""
    target = place / "out.parquet"
    started = time.perf_counter()
    told = subprocess.run(
        [
            *(sys.executable, "-c", CHECKOUT, str(Path(__file__).parent), str(place / "id")),
            *(version.label, str(target)),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return {
        "checkout": round(time.perf_counter() - started, 1),
        "checkout_peak_mb": round(float(told.stdout) / (1e6 if sys.platform == "darwin" else 1024)),
    }


def folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
