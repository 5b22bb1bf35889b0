"""A dataset keeps its last good version, whatever goes wrong while the next one is made."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from commands import gleis
from gleis.config.settings import ProjectSettings, Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import StoreError
from gleis.data.dataset import Datasets
from gleis.store.home import Home
from small_datasets import PROVENANCE, days

HERE = [str(folder) for folder in Path(__file__).parents[:2]]
PROJECT = ProjectSettings(
    name="p", module="p", task="binary", target="late", id="id", time="at"
)  # fmt: skip


@pytest.fixture
def datasets(tmp_path):
    home = Home(tmp_path / ".gleis")
    yield Datasets(home, Settings(project=PROJECT), SystemClock())
    home.close()


FILLING = """
import resource, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from gleis.contracts.errors import StoreError
from small_datasets import PROVENANCE, days
from test_dataset_faults import open_datasets

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
datasets = open_datasets(Path(sys.argv[3]))
before = datasets.latest()
for limit in (0, 1000, 2000, 3000, 4500, 10_000, 30_000, 100_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        datasets.append(days(3, 4), PROVENANCE)
        print("room", flush=True)
        break
    except StoreError as error:
        print("full:", error, flush=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert datasets.latest() == before
    assert datasets.read(before).equals(days(1, 2))
"""


def open_datasets(folder):
    return Datasets(Home(folder), Settings(project=PROJECT), SystemClock())


def test_a_disk_that_is_full_at_any_moment_of_an_append(datasets, tmp_path):
    """Files may not grow over a limit; with each step of it, another write is the first to fail."""
    datasets.append(days(1, 2), PROVENANCE)
    done = subprocess.run(
        [sys.executable, "-c", FILLING, *HERE, str(tmp_path / ".gleis")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *failures, last = done.stdout.splitlines()
    assert last == "room", failures
    assert len(failures) >= 3
    assert all(line.startswith("full: ") for line in failures)
    unrecorded = [line for line in failures if "gleis.db fails" in line]
    assert unrecorded, "the rows were there, their record not"
    assert all("room" in line for line in failures if line not in unrecorded), failures
    second = datasets.latest()
    assert second.version == 2
    assert datasets.read(second).equals(pl.concat([days(1, 2), days(3, 4)]))
    datasets.sweep([1, 2])
    kept = {path.name for path in (tmp_path / ".gleis" / "datasets" / "p").glob("*.parquet*")}
    assert kept == {file.name for file in datasets.table.files(second.table_version)}


def test_a_table_file_that_is_cut(datasets, tmp_path):
    first = datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3), PROVENANCE)
    files = {file.name for file in datasets.table.files(second.table_version)}
    (new,) = files - {file.name for file in datasets.table.files(first.table_version)}
    path = tmp_path / ".gleis" / "datasets" / "p" / new
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    for use in (
        lambda: datasets.read(second),
        lambda: list(datasets.parts(second)),
        lambda: datasets.append(days(4), PROVENANCE),
    ):
        with pytest.raises(StoreError, match=rf"{new} has .* bytes and should .*data restore"):
            use()
    path.write_bytes(bytes(len(whole)))
    with pytest.raises(StoreError, match="fails"):
        datasets.read(second)
    path.unlink()
    with pytest.raises(StoreError, match=f"{new} is missing"):
        datasets.read(second)
    assert datasets.read(first).equals(days(1, 2))
    third = datasets.restore(first, PROVENANCE)
    fourth = datasets.append(days(4), PROVENANCE)
    assert (third.version, datasets.read(fourth)["id"].to_list()) == (3, [1, 2, 4])


def test_a_commit_that_is_cut(datasets, tmp_path):
    first = datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3), PROVENANCE)
    log = tmp_path / ".gleis" / "datasets" / "p" / "_delta_log"
    path = log / f"{second.table_version:020}.json"
    path.write_bytes(path.read_bytes()[:100])
    for use in (lambda: datasets.read(second), lambda: datasets.append(days(4), PROVENANCE)):
        with pytest.raises(StoreError, match="fails"):
            use()
    assert datasets.read(first).equals(days(1, 2))


SOURCE = """
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

START = datetime(2024, 2, 1, tzinfo=UTC)


def load(since, until):
    how = Path(__file__).with_name("how.txt").read_text()
    rows = [{"id": n, "at": START + timedelta(hours=n), "x": n / 7, "y": n % 2} for n in range(99)]
    frame = pd.DataFrame(rows)
    frame = frame[(frame["at"] < until) & ((frame["at"] >= since) if since else True)]
    return eval(how)


def build_model(params):
    raise AssertionError
"""
GOOD = "frame"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """A project whose source went well once."""
    folder = tmp_path_factory.mktemp("upstream") / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text(SOURCE)
    (folder / "gleis.toml").write_text(
        '[project]\nname = "shop"\nmodule = "shop"\ntask = "binary"\ntarget = "y"\n'
        'id = "id"\ntime = "at"\n'
    )
    (folder / "how.txt").write_text(GOOD)
    assert gleis(folder, "data", "add", "--until", "2024-02-02").code == 0
    return folder


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("frame.rename(columns={'x': 'z'})", 4, ["missing: x", "new: z"]),
        ("frame.assign(x=frame['x'].map(str))", 4, ["x (Float64 -> String)"]),
        ("frame.assign(more=1)", 4, ["new: more"]),
        ("pd.concat([frame, frame[['x']]], axis=1)", 4, ["Column names repeat", "'x'"]),
        ("frame.assign(id=2_000_000_000)", 4, ["Id column id repeats", "2000000000"]),
        ("frame.assign(id=frame['id'] % 5)", 4, ["id", "repeats"]),
        ("frame.assign(id=frame['id'] - 30)", 4, ["already holds"]),
        ("frame.assign(id=frame['id'].astype('uint64') + 2**63)", 4, ["64 bits"]),
        ("frame.assign(at='soon')", 4, ["at"]),
        ("frame.head(0)", 0, ["Nothing new"]),
        ("None", 3, ["load must return a table"]),
        ("1 / 0", 3, ["division by zero"]),
    ],
)
def test_what_changes_upstream_is_one_error_and_changes_nothing(upstream, how, code, said):
    before = gleis(upstream, "data", "log", "--json").json
    (upstream / "how.txt").write_text(how)
    try:
        told = gleis(upstream, "data", "add", "--until", "2024-02-03")
    finally:
        (upstream / "how.txt").write_text(GOOD)
    assert told.code == code, told.err
    for needle in said:
        assert needle in told.out + told.err
    assert told.err.count("error:") == (1 if code else 0)
    assert gleis(upstream, "data", "log", "--json").json == before


def test_ids_at_the_ends_of_what_a_number_can_be(upstream, tmp_path):
    (upstream / "how.txt").write_text(
        "frame.assign(id=[2**63 - 1, -(2**63), 2_000_000_000, -1][: len(frame)])"
        " if len(frame) == 4 else frame"
    )
    assert gleis(upstream, "data", "add", "--until", "2024-02-02T04:00").code == 0
    (upstream / "how.txt").write_text(GOOD)
    out = tmp_path / "rows.parquet"
    assert gleis(upstream, "data", "checkout", "latest", str(out)).code == 0
    assert pl.read_parquet(out)["id"].tail(4).to_list() == [2**63 - 1, -(2**63), 2_000_000_000, -1]


WRITER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from small_datasets import PROVENANCE
from test_dataset_faults import open_datasets, many

datasets = open_datasets(Path(sys.argv[3]))
print("ready", flush=True)
start = datasets.latest().rows
while True:
    datasets.append(many(start, 20_000), PROVENANCE)
    start += 20_000
    print(start, flush=True)
"""


def many(start, count):
    ids = pl.int_range(start, start + count, eager=True).alias("id")
    at = pl.Series("at", [datetime(2013, 1, 1, tzinfo=UTC)]).new_from_index(0, count)
    columns = [ids, at.cast(pl.Datetime("us", "UTC")), (ids * 7).alias("x")]
    return pl.DataFrame([*columns, (ids % 2).alias("late")])


@pytest.mark.slow
def test_a_writer_that_is_killed_again_and_again(datasets, tmp_path):
    """Whatever was told is there; nothing else is, and the files that were left behind go."""
    datasets.append(many(0, 100), PROVENANCE)
    told = 100
    for delay in (0.02, 0.05, 0.1, 0.15, 0.3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, *HERE, str(tmp_path / ".gleis")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert writer.stdout.readline() == "ready\n"
        told = int(writer.stdout.readline())
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(delay)
        writer.kill()
        told = max([told, *(int(line) for line in writer.stdout)])
        latest = datasets.latest()
        assert latest.rows - told in (0, 20_000), "recorded, perhaps not told any more"
        rows = datasets.read(latest)
        assert rows["id"].to_list() == list(range(latest.rows))
    datasets.append(many(latest.rows, 10), PROVENANCE)
    versions = datasets.versions()
    datasets.sweep([version.version for version in versions])
    kept = {path.name for path in (tmp_path / ".gleis" / "datasets" / "p").glob("*.parquet*")}
    needed = {f.name for version in versions for f in datasets.table.files(version.table_version)}
    assert kept == needed
    for version in versions:
        assert datasets.read(version).height == version.rows
