from __future__ import annotations

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.counters import Counters


def test_a_name_keeps_its_cells(tmp_path):
    for counters in (Counters(), Counters(tmp_path / "0")):
        counters.cells("a")[0] += 2
        counters.cells("b", 3)[1] += 5
        counters.cells("a")[0] += 1
        assert {name: cells.tolist() for name, cells in counters.sums().items()} == {
            "a": [3.0],
            "b": [0.0, 5.0, 0.0],
        }


def test_all_processes_are_summed_and_a_file_is_taken_up_again(tmp_path):
    for step in range(3):
        for slot in ("0", "1"):
            counters = Counters(tmp_path / slot)
            counters.cells(f"only {slot}")[0] += 1
            counters.cells("both", 2)[:] += (1, step)
    sums = {name: cells.tolist() for name, cells in counters.sums().items()}
    assert sums == {"both": [6.0, 6.0], "only 0": [3.0], "only 1": [3.0]}


def test_a_name_that_was_cut_short_counts_for_none(tmp_path):
    Counters(tmp_path / "0").cells("whole")[0] += 1
    with (tmp_path / "0.names").open("ab") as file:
        file.write(b"5\tcut")
    assert list(Counters(tmp_path / "1").sums()) == ["whole"]
    again = Counters(tmp_path / "0")
    again.cells("next")[0] += 7
    assert {name: cells.tolist() for name, cells in again.sums().items()} == {
        "whole": [1.0],
        "next": [7.0],
    }


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StoreError, match="Counters cannot be kept"):
        Counters(tmp_path / "gone" / "0")


def test_room_runs_out_with_an_error(tmp_path):
    counters = Counters(tmp_path / "0")
    with pytest.raises(StoreError, match="no room"):
        counters.cells("huge", 1 << 20)
