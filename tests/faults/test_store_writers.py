"""Many processes writing to the same files at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gleis.config.settings import ProjectSettings, Settings
from gleis.contracts.clock import SystemClock
from gleis.data.dataset import Datasets
from gleis.store.home import Home

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gleis.contracts.prediction import Batch, Label
from gleis.store.home import Home

now = datetime(2013, 7, 4, tzinfo=UTC)
home = Home(Path(sys.argv[1]))
for number in range(50):
    entity = f"{sys.argv[2]}-{number}"
    home.facts.append("run", entity, b"{}", now)
    home.facts.append_once("claim", str(number), sys.argv[2].encode(), now)
    home.log.label([Label(value=number, entity=entity)], now)
    batch = Batch(at=now, version=1, digest="d", fallback=False, rows=1, features={"x": [1.0]},
                  scores=[0.5], entities=[entity], times=[None], flags={})
    home.log.append([batch])
    home.states.put(sys.argv[2], str(number).encode())
    home.artifacts.put(str(number).encode())
"""


def test_eight_processes_fifty_times_each(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / ".gleis"), str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    complaints = [process.communicate()[1] for process in processes]
    assert complaints == [""] * 8
    home = Home(tmp_path / ".gleis")
    assert home.facts.verify() == 8 * 50 + 50
    assert len(home.facts.keys("run")) == 400
    assert len(list(home.facts.all("claim"))) == 50
    counts = home.log.counts()
    assert (counts.predictions, counts.matched, counts.pending) == (400, 400, 0)
    assert all(home.states.get(str(number)) == b"49" for number in range(8))
    home.close()


PROJECT = ProjectSettings(name="p", module="p", task="binary", target="late", id="id", time="at")
TABLES = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from datetime import UTC, datetime
import polars as pl
from gleis.config.settings import Settings
from gleis.contracts.clock import SystemClock
from gleis.data.dataset import Datasets
from gleis.store.home import Home
from small_datasets import PROVENANCE, days
from test_store_writers import PROJECT

number = int(sys.argv[2])
home = Home(Path(sys.argv[1]))
datasets = Datasets(home, Settings(project=PROJECT), SystemClock())
print("ready", flush=True)
sys.stdin.readline()
for turn in range(3):
    first = number * 100 + turn * 2
    rows = days(1, 2).with_columns(id=pl.Series([first, first + 1]))
    version = datasets.append(rows, PROVENANCE)
    datasets.marks.give(f"w{number}-{turn}", version.version, "me", datetime.now(UTC))
    home.facts.append("run", f"{number}-{turn}", b"{}", datetime.now(UTC))
    home.states.put(str(number), str(turn).encode())
    print(version.version, flush=True)
"""


@pytest.mark.slow
def test_sixteen_processes_append_to_one_table(tmp_path):
    """Each waits for its turn: nothing is locked, lost, doubled or mixed."""
    here = [str(folder) for folder in Path(__file__).parents[:2]]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", TABLES, str(tmp_path / ".gleis"), str(number), *here],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(16)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout.readline() == "ready\n", writer.communicate()[1]
    told = [writer.communicate("\n") for writer in writers]
    assert [complaint for _, complaint in told] == [""] * 16
    made = [[int(line) for line in out.split()] for out, _ in told]
    assert sorted(number for one in made for number in one) == list(range(1, 49))
    home = Home(tmp_path / ".gleis")
    datasets = Datasets(home, Settings(project=PROJECT), SystemClock())
    versions = datasets.versions()
    assert [version.rows for version in versions] == list(range(2, 98, 2))
    ids = datasets.read(versions[-1])["id"].to_list()
    assert sorted(ids) == sorted(n * 100 + i for n in range(16) for i in range(6))
    for version in versions[::7]:
        assert datasets.read(version)["id"].to_list() == ids[: version.rows]
    names = datasets.marks.names()
    for number, one in enumerate(made):
        assert [names[f"w{number}-{turn}"] for turn in range(3)] == one
    assert len(home.facts.keys("run")) == 48
    assert home.facts.verify() == 3 * 48
    home.close()
