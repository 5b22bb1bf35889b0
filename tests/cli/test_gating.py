from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import trained

IMPOSSIBLE = "gates.accuracy=>= 0.9999"


def test_a_verdict_that_passes_exits_with_0():
    said = gleis(trained(), "gate")
    assert said.code == 0
    assert "Passed: 2 of 2 gates hold." in said.out
    (line,) = [x for x in said.out.splitlines() if x.startswith("pass  accuracy ")]
    assert line.split()[2:4] == [">=", "0.8"]
    assert len(line.split()) == 7  # measured, and both ends
    assert "changed" not in said.out


def test_a_verdict_that_blocks_exits_with_1_and_changes_nothing():
    before = gleis(trained(), "runs", "--json").json
    said = gleis(trained(), "gate", "v2", "--set", IMPOSSIBLE)
    assert said.code == 1
    assert "The gates have changed since this run was judged (accuracy)" in said.out
    assert "fail" in said.out
    assert "Blocked by 1 of 2 gates." in said.out
    assert gleis(trained(), "runs", "--json").json == before


def test_json_is_the_verdict():
    for flags, code in (((), 0), (("--set", IMPOSSIBLE), 1)):
        said = gleis(trained(), "gate", "latest", *flags, "--json")
        assert said.code == code
        assert said.json["passed"] == (code == 0)
        assert {"gate", "asked", "measured", "status", "reason"} == set(
            said.json["verdict"]["gates"][0]
        )
        assert bool(said.json["changed"]) == (code == 1)


def test_an_unknown_figure_blocks():
    said = gleis(trained(), "gate", "--set", "gates.log_loss=better than champion")
    assert said.code == 1
    assert "unknown" in said.out
    assert "not compared with a champion" in said.out


def test_the_baseline_passes():
    assert gleis(trained(), "gate", "v1").code == 0


@pytest.mark.parametrize(("ref", "code"), [("v99", 6), ("zzz", 6)])
def test_a_run_that_is_not_there(ref, code):
    said = gleis(trained(), "gate", ref)
    assert said.code == code
    assert ref in said.err


def test_a_gate_nothing_could_answer_is_refused():
    said = gleis(trained(), "gate", "--set", "gates.acuracy=>= 0.5")
    assert said.code == 2
    assert "Did you mean accuracy?" in said.err
