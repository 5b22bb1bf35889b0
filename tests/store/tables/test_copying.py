from __future__ import annotations

import os

import deltalake
import polars as pl
import pytest

from gleis.contracts.errors import StoreError
from gleis.store.objects.by_url import open_table
from gleis.store.objects.moving import move
from gleis.store.objects.objects import FolderObjects, nobody
from gleis.store.objects.patience import Patience
from gleis.store.tables.copying import files_of, missing_files, move_log, read_log, still_ours

PATIENCE = Patience(seconds=2)


class Side:
    """A table `t` at one side."""

    def __init__(self, folder):
        self.objects = FolderObjects(folder)
        self.table = open_table(folder, None, "t", PATIENCE)

    def append(self, *values):
        return self.table.append(pl.DataFrame({"a": list(values)}))

    def values(self, version=None):
        return self.table.read(version)["a"].to_list()


@pytest.fixture
def sides(tmp_path):
    return Side(tmp_path / "source"), Side(tmp_path / "target")


def copy(source, target, until, recorded=-1, *, alone=True):
    files = files_of(source.objects, "t", [until], PATIENCE)
    move(source.objects, target.objects, missing_files(target.objects, "t", files, {}), nobody)
    move_log(source.objects, target.objects, "t", until, recorded, alone=alone)


def age(side, seconds=7200):
    for found in side.objects.list("datasets/t/_delta_log"):
        path = side.objects.path(found.key)
        os.utime(path, (found.modified - seconds,) * 2)


def test_up_to_a_version(sides):
    source, target = sides
    for value in range(4):
        source.append(value)
    copy(source, target, 1)
    assert target.values() == [0, 1]
    copy(source, target, 3, recorded=1)
    assert target.values() == [0, 1, 2, 3]
    assert target.values(1) == [0, 1]
    assert all(still_ours(source.objects, target.objects, "t", version) for version in range(4))
    assert not still_ours(source.objects, target.objects, "t", 4)


def test_one_side_may_be_ahead(sides):
    source, target = sides
    source.append(0)
    copy(source, target, 0)
    target.append(1)
    copy(source, target, 0, recorded=1)
    assert target.values() == [0, 1]


def test_checkpoints_come_along(sides):
    source, target = sides
    for value in range(3):
        source.append(value)
    deltalake.DeltaTable(source.table.location, version=1).create_checkpoint()
    copy(source, target, 2)
    assert list(read_log(target.objects, "t").others.values()) == [1]
    target.objects.delete(read_log(target.objects, "t").commits[0])
    assert target.values() == [0, 1, 2], "by the checkpoint"


@pytest.mark.parametrize("alone", [True, False])
def test_another_history_is_not_touched(sides, alone):
    source, target = sides
    source.append(0)
    copy(source, target, 0)
    source.append(1)
    target.append(10)
    with pytest.raises(StoreError, match="another commit 1 than ours"):
        copy(source, target, 1, recorded=1, alone=alone)
    assert target.values() == [0, 10]


def test_commits_that_nobody_recorded_make_room_once_they_are_dead(sides):
    source, target = sides
    source.append(0)
    copy(source, target, 0)
    source.append(1)
    for value in (10, 11):
        target.append(value)
    with pytest.raises(StoreError, match="right now, or did not finish"):
        copy(source, target, 1, recorded=0, alone=False)
    age(target)
    copy(source, target, 1, recorded=0, alone=False)
    assert target.values() == [0, 1]


def test_a_version_whose_files_are_gone(sides):
    source, _ = sides
    with pytest.raises(StoreError, match="Version 0 of the table"):
        files_of(source.objects, "t", [0], PATIENCE)
