from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import trained, untrained


@pytest.fixture(scope="module")
def growing(tmp_path_factory):
    """A project to which rows were added twice."""
    folder = untrained(tmp_path_factory.mktemp("data") / "shifting", "shifting")
    for until in ("2024-02-11", "2024-02-21"):
        assert gleis(folder, "data", "add", "--until", until).code == 0
    return folder


def test_add_says_what_came(tmp_path):
    folder = untrained(tmp_path / "shifting", "shifting")
    said = gleis(folder, "data", "add", "--until", "2024-02-11")
    assert said.out.splitlines()[-1] == "shifting@v1: 1,200 rows, 0 without a label."
    found = gleis(folder, "data", "add", "--until", "2024-02-21", "--json").json
    assert found["added"] is True
    assert found["version"]["version"] == 2
    assert found["version"]["rows"] == 2400


def test_add_again_adds_nothing(growing):
    said = gleis(growing, "data", "add", "--until", "2024-02-21")
    assert said.code == 0
    assert "Nothing new: shifting@v2 holds 2,400 rows." in said.out
    found = gleis(growing, "data", "add", "--until", "2024-02-21", "--json").json
    assert found["added"] is False


def test_log_lists_versions_oldest_first(growing):
    lines = gleis(growing, "data", "log").out.splitlines()
    assert lines[0].split()[:3] == ["version", "rows", "labelled"]
    assert lines[1].split()[:5] == ["v1", "1,200", "1,200", "2024-02-01", "00:00"]
    assert lines[2].split()[:2] == ["v2", "2,400"]
    found = gleis(growing, "data", "log", "--json").json
    assert [(version["version"], version["parent"]) for version in found] == [(1, None), (2, 1)]


def test_show_has_provenance_and_columns(growing):
    said = gleis(growing, "data", "show", "v1")
    assert "shifting@v1  1,200 rows" in said.out
    assert "from     shifting:load by " in said.out
    roles = {c["name"]: c["role"] for c in gleis(growing, "data", "show", "--json").json["columns"]}
    assert roles == {
        "visit": "id",
        "at": "time",
        "price": "feature",
        "pages": "feature",
        "channel": "feature",
        "bought": "target",
    }


def test_show_takes_v2_2_and_latest(growing):
    shown = [gleis(growing, "data", "show", ref, "--json").json for ref in ("v2", "2", "latest")]
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["version"]["version"] == 2


def test_show_an_unknown_version(growing):
    said = gleis(growing, "data", "show", "v9")
    assert said.code == 6
    assert "'v9'" in said.err
    assert "v1 to v2" in said.err


def test_before_any_data(tmp_path):
    folder = untrained(tmp_path / "iris")
    assert "Next: gleis data add" in gleis(folder, "data", "log").out
    assert gleis(folder, "data", "log", "--json").json == []
    assert gleis(folder, "data", "show").code == 6


def test_the_project_can_be_named_from_elsewhere(tmp_path):
    said = gleis(tmp_path, "data", "log", "--project", str(trained()), "--json")
    assert said.json[0]["rows"] == 150
