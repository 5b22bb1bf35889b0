from __future__ import annotations

import json
import shutil

import pytest

from commands import gleis
from gleis.data.files import read_table
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
    assert lines[0].split() == [
        "version", "rows", "added", "from", "to", "loaded", "by", "source", "state",
    ]  # fmt: skip
    assert lines[1].split()[:5] == ["v1", "1,200", "1,200", "2024-02-01", "00:00"]
    assert lines[2].split()[:3] == ["v2", "2,400", "1,200"]
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


def test_show_tells_columns_pairs_time_and_target(growing):
    said = gleis(growing, "data", "show", "v2")
    line = next(line for line in said.out.splitlines() if line.startswith("channel"))
    assert line.split()[1:4] == ["String", "feature", "3"]
    assert "2024-02-01 00:00 to 2024-02-20 23:48" in said.out
    assert "rows a day, at most 120" in said.out
    assert "What a column alone tells of bought" in said.out
    assert "higher where bought is 1" in said.out
    found = gleis(growing, "data", "show", "v2", "--json").json
    assert found["coverage"]["rows"] == [120] * 20
    assert found["duplicates"] == {"rows": 0, "without_id": 0}
    assert [one["column"] for one in found["relations"][:2]] == ["pages", "price"]
    assert found["sampled"] is None


def test_show_writes_a_page_that_needs_no_network(growing, tmp_path):
    said = gleis(growing, "data", "show", "v2", "--out", str(tmp_path / "made" / "page.html"))
    assert said.out.splitlines()[-1] == f"Page: {tmp_path}/made/page.html"
    page = (tmp_path / "made" / "page.html").read_text()
    body = page[: page.index("<script>")]
    assert "<h1>shifting@v2</h1>" in body
    assert body.count('<svg class="bars"') == 6
    assert "http://" not in body
    assert "https://" not in body
    charts = page[page.rindex("const charts") :]
    assert all(f'"{name}"' in charts for name in ("coverage", "hours", "relations"))
    assert '"missing":' not in charts
    shown = gleis(growing, "data", "show", "v1", "--html", "--json").json
    assert shown["page"].endswith(".gleis/reports/data-shifting-v1.html")


def test_show_takes_v2_2_and_latest(growing):
    shown = [gleis(growing, "data", "show", ref, "--json").json for ref in ("v2", "2", "latest")]
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["version"]["version"] == 2


def test_show_an_unknown_version(growing):
    said = gleis(growing, "data", "show", "v9")
    assert said.code == 6
    assert "'v9'" in said.err
    assert "v1, v2" in said.err


def test_before_any_data(tmp_path):
    folder = untrained(tmp_path / "iris")
    assert "Next: gleis data add" in gleis(folder, "data", "log").out
    assert gleis(folder, "data", "log", "--json").json == []
    assert gleis(folder, "data", "show").code == 6


def test_the_project_can_be_named_from_elsewhere(tmp_path):
    said = gleis(tmp_path, "data", "log", "--project", str(trained()), "--json")
    assert said.json[0]["rows"] == 150


def test_names_restores_and_removals_are_in_the_log(growing, tmp_path):
    folder = tmp_path / "shifting"
    shutil.copytree(growing, folder)
    said = gleis(folder, "data", "name", "v1", "q1-audit")
    assert said.out == "q1-audit is shifting@v1.\n"
    said = gleis(folder, "data", "restore", "q1-audit", "--note", "prices were wrong")
    assert said.out == "shifting@v3: the 1,200 rows of shifting@v1 again.\n"
    assert "Nothing to do" in gleis(folder, "data", "restore", "v1").out
    refused = gleis(folder, "data", "rm", "v1")
    assert refused.code == gleis(folder, "data", "rm", "q1-audit").code == 1
    assert "shifting@v1 stays: it has the name q1-audit" in refused.err
    assert gleis(folder, "data", "rm", "v2", "--why", "twice").out.startswith("shifting@v2 is")
    assert gleis(folder, "data", "gc", "--dry-run").out.startswith("Would delete 1 file, ")
    assert gleis(folder, "data", "gc").out.startswith("Deleted 1 file, ")
    assert "every file is needed" in gleis(folder, "data", "gc").out
    lines = gleis(folder, "data", "log").out.splitlines()
    assert lines[1].rstrip().endswith("shifting:load  q1-audit")
    assert " removed by " in lines[2]
    assert "(twice)" in lines[2]
    assert lines[3].rstrip().endswith('= v1; "prices were wrong"')
    found = gleis(folder, "data", "log", "--json").json
    assert [version["added"] for version in found] == [1200, 1200, 0]
    assert [version["names"] for version in found] == [["q1-audit"], [], []]
    assert found[1]["removed"]["why"] == "twice"
    gone = gleis(folder, "data", "show", "v2")
    assert gone.code == 6
    assert "shifting@v2 was removed on" in gone.err


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_checkout_writes_the_rows(growing, tmp_path, name):
    said = gleis(growing, "data", "checkout", "v1", str(tmp_path / name))
    assert said.out == f"{tmp_path / name}: 1,200 rows of shifting@v1.\n"
    assert read_table(tmp_path / name).height == 1200
    again = gleis(growing, "data", "checkout", "v1", str(tmp_path / name))
    assert (again.code, "--force" in again.err) == (4, True)
    found = gleis(growing, "data", "checkout", "2", str(tmp_path / name), "--force", "--json").json
    assert found["rows"] == 2400


def test_a_note_and_a_moment(tmp_path):
    folder = untrained(tmp_path / "shifting", "shifting")
    add = ("data", "add", "--until", "2024-02-11", "--note", "first ten days")
    assert gleis(folder, *add).code == 0
    assert '"first ten days"' in gleis(folder, "data", "log").out
    assert gleis(folder, "data", "show", "2999-01-01").code == 0
    assert gleis(folder, "data", "show", "1999-01-01").code == 6


def test_a_table_that_the_project_has_not(growing):
    said = gleis(growing, "data", "add", "weathr")
    assert said.code == 6
    assert "no dataset of this name" in said.err


def test_verify_tells_what_is_damaged_and_repair_mends_it(growing, tmp_path):
    folder = tmp_path / "shifting"
    shutil.copytree(growing, folder)
    said = gleis(folder, "data", "verify")
    assert said.code == 0
    assert said.out.splitlines()[-1] == (
        "shifting: 2 versions, 2,400 rows in the newest; all are whole."
    )
    commit = folder / ".gleis" / "datasets" / "shifting" / "_delta_log" / f"{1:020}.json"
    commit.write_bytes(commit.read_bytes()[:-30])
    shown = gleis(folder, "data", "show")
    assert shown.code == 7
    assert "gleis data verify" in shown.err
    assert "<unknown>" not in shown.err
    said = gleis(folder, "data", "verify")
    assert said.code == 7
    assert "shifting: 1 of 2 versions damaged." in said.out
    assert "is cut" in said.out
    assert "Next: gleis data verify shifting --repair" in said.out
    said = gleis(folder, "data", "verify", "--repair")
    assert said.code == 0
    assert "commit 1 of the log was made anew" in said.out
    assert gleis(folder, "data", "show").code == 0
    file = folder / ".gleis" / "datasets" / "shifting" / _newest_file(commit)
    file.unlink()
    said = gleis(folder, "data", "verify", "--repair", "--json")
    assert said.code == 7
    assert [each["whole"] for each in said.json] == [False]
    assert said.json[0]["last_whole"] == 1
    said = gleis(folder, "data", "verify", "--repair")
    assert "gleis data restore shifting@v1" in said.out
    assert gleis(folder, "data", "restore", "shifting@v1").code == 0


def _newest_file(commit):
    lines = (json.loads(line) for line in commit.read_text().splitlines())
    return next(line["add"]["path"] for line in lines if "add" in line)
