from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.home import Home


def test_nothing_is_made_before_it_is_needed(tmp_path):
    home = Home(tmp_path / "project" / ".gleis")
    assert not home.exists()
    assert home.packages.parent == home.reports.parent == home.folder
    assert str(home.folder) in home.tracking_uri
    assert not home.exists()


def test_create_makes_it_and_keeps_git_out(tmp_path):
    home = Home(tmp_path / "project" / ".gleis")
    home.create()
    home.create()
    assert home.exists()
    assert (home.folder / ".gitignore").read_text() == "*\n"
    assert [path.name for path in home.folder.iterdir()] == [".gitignore"]


def test_stores_are_opened_once(tmp_path):
    home = Home(tmp_path / ".gleis")
    assert home.facts is home.facts
    assert home.log is home.log
    home.artifacts.put(b"x")
    home.states.put("a", b"b")
    assert {path.name for path in home.folder.iterdir()} >= {
        "artifacts",
        "gleis.db",
        "states.db",
        "predictions.db",
    }


def test_a_relative_folder_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    home = Home(Path(".gleis"))
    monkeypatch.chdir("/")
    home.create()
    assert (tmp_path / ".gleis").is_dir()


def test_closed(tmp_path):
    home = Home(tmp_path / ".gleis")
    facts = home.facts
    home.close()
    with pytest.raises(StoreError, match="closed"):
        facts.latest("run", "a")


def test_a_file_in_its_place(tmp_path):
    (tmp_path / "state").write_text("")
    for folder in (tmp_path / "state", tmp_path / "state" / ".gleis"):
        home = Home(folder)
        with pytest.raises(StoreError) as caught:
            home.create()
        assert str(folder) in str(caught.value)
        assert "GLEIS_STATE" in caught.value.remedy


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder nobody can write")
@pytest.mark.parametrize("name", ["facts", "states", "log"])
def test_a_folder_that_cannot_be_written(name):
    with pytest.raises(StoreError, match="/proc/self"):
        getattr(Home(Path("/proc/self")), name)


def test_it_is_light_and_quick(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from gleis.store.home import Home\n"
        "home = Home(Path(sys.argv[1]))\n"
        "heavy = {'polars','numpy','sklearn','mlflow','pandas','deltalake','psycopg'}\n"
        "home.facts, home.states\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "import gleis.store.log.group_commit, gleis.store.tracking, gleis.registry.versions\n"
        "home.log\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=True)


def test_opening_an_existing_ledger_is_quick(tmp_path):
    Home(tmp_path).facts.append("run", "a", b"", datetime(2013, 1, 1, tzinfo=UTC))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        Home(tmp_path).facts.latest("run", "a")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.010
