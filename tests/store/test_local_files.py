from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from gleis.store.local_files import find_damaged, sync_commit
from gleis.store.tables.table import DeltaTable

ROWS = pl.DataFrame({"x": [1, 2]})


@pytest.fixture
def table(tmp_path):
    made = DeltaTable(tmp_path / "t")
    made.append(ROWS)
    made.append(ROWS)
    return made


def _path(handle):
    return os.readlink(f"/proc/self/fd/{handle}")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks the system for open files")
def test_what_a_commit_wrote_is_synced_and_nothing_else(table, monkeypatch):
    second = table.files(1)[1]
    synced = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(_path(fd)) or sync(fd))
    sync_commit(table.location, 1)
    assert synced == [
        f"{table.location}/{second.name}",
        f"{table.location}/_delta_log/{1:020}.json",
        f"{table.location}/_delta_log",
        table.location,
    ]


def test_a_table_by_url_is_left_alone():
    sync_commit("s3://bucket/t", 0)
    assert find_damaged("s3://bucket/t", []) is None


def test_damage_is_named(table, tmp_path):
    files = table.files(1)
    assert find_damaged(table.location, files) is None
    path = tmp_path / "t" / files[1].name
    with path.open("ab") as file:
        file.write(b"more")
    assert f"{path} has {files[1].size + 4:,} bytes" in find_damaged(table.location, files)
    path.unlink()
    assert find_damaged(table.location, files) == f"{path} is missing"
