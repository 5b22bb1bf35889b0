"""The example of examples/tool-wear, on the data a user downloads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commands import gleis
from gleis.lifecycle.new_project import make_project
from trained_projects import untrained

EXAMPLE = Path(__file__).parents[2] / "examples" / "tool-wear"
DATA = os.environ.get("CNC_DATA")

needs_data = pytest.mark.skipif(
    not DATA,
    reason="CNC_DATA does not name the folder of the tool-wear data; see examples/tool-wear",
)


def test_the_example_is_what_init_makes(tmp_path):
    made = make_project(tmp_path / "tool-wear", "tool-wear")
    assert {path.name for path in EXAMPLE.iterdir()} >= {path.name for path in made} | {"README.md"}
    for path in made:
        assert (EXAMPLE / path.name).read_text() == path.read_text()


def test_without_the_data_the_error_says_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.delenv("CNC_DATA", raising=False)
    said = gleis(untrained(tmp_path / "wear", "tool-wear"), "run")
    assert said.code != 0
    assert "there is no train.csv in" in said.err
    assert "CNC_DATA" in said.err


@pytest.fixture(scope="module")
def at_random(tmp_path_factory):
    folder = untrained(tmp_path_factory.mktemp("flows") / "wear", "tool-wear")
    return folder, gleis(folder, "run", "--json", "--set", "params.model=tree")


@needs_data
def test_a_random_split_is_blocked_and_the_honest_figure_is_shown(at_random):
    _, said = at_random
    assert said.code == 1
    evidence = said.json["run"]["evidence"]
    assert evidence["figures"]["accuracy"]["value"] > 0.98
    (leak,) = [leak for leak in evidence["leakage"]["leaks"] if leak["certain"]]
    assert (leak["kind"], leak["column"]) == ("group", "experiment")
    assert leak["figures"]["random.accuracy"]["value"] > 0.95
    assert 0.42 < leak["figures"]["grouped.accuracy"]["value"] < 0.75
    (gate,) = [gate for gate in said.json["run"]["verdict"]["gates"] if gate["gate"] == "leakage"]
    assert gate["status"] == "fail"
    assert 'group = "experiment"' in gate["reason"]


@needs_data
def test_split_by_experiment_there_is_no_leak_and_intervals_are_over_experiments(at_random):
    folder, _ = at_random
    said = gleis(
        folder, "run", "--json", "--set", "params.model=tree",
        "--set", "split.by=group", "--set", "split.group=experiment",
    )  # fmt: skip
    run = said.json["run"]
    (gate,) = [gate for gate in run["verdict"]["gates"] if gate["gate"] == "leakage"]
    assert gate["status"] == "pass"
    accuracy = run["evidence"]["figures"]["accuracy"]
    assert accuracy["value"] < 0.95
    assert accuracy["high"] - accuracy["low"] > 0.1
    assert any("4 groups that test" in note for note in run["evidence"]["notes"])
