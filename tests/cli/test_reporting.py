from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import copied, trained


def test_a_report_goes_where_it_is_told_to(tmp_path):
    said = gleis(trained(), "report", "v2", "--html", str(tmp_path / "a" / "r.html"))
    assert said.code == 0
    assert f"Report: {tmp_path / 'a' / 'r.html'}" in said.out
    page = (tmp_path / "a" / "r.html").read_text()
    assert "iris: version 2" in page
    assert "It is champion since" in page
    assert "Passed: 2 of 2 gates hold." in page


def test_by_default_into_the_state_folder(tmp_path):
    folder = copied(tmp_path / "iris")
    found = gleis(folder, "report", "v1", "--json").json
    assert found["report"] == str(folder / ".gleis" / "reports" / f"{found['run']}.html")
    page = (folder / ".gleis" / "reports" / f"{found['run']}.html").read_text()
    assert "The heuristic for" in page
    assert "It is not live; version 2 is champion." in page


def test_todays_gates_are_shown(tmp_path):
    target = tmp_path / "r.html"
    flags = ("--set", "gates.accuracy=>= 0.9999")
    assert gleis(trained(), "report", "--html", str(target), *flags).code == 0
    page = target.read_text()
    assert "Blocked by 1 of 2 gates." in page
    assert "The gates have changed since this run was judged (accuracy)" in page


@pytest.mark.parametrize("ref", ["v99", "zzz"])
def test_a_run_that_is_not_there(ref):
    assert gleis(trained(), "report", ref).code == 6
