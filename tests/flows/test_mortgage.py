"""The example as its README tells it: blocked, then mitigated and live, with a report of each."""

from __future__ import annotations

import pytest

from commands import gleis
from gleis import Project
from trained_projects import edit, untrained

RATIO = "fairness.race.statistical_parity_ratio"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = untrained(tmp_path_factory.mktemp("flows") / "mortgage", "mortgage")
    edit(folder / "gleis.toml", "bootstrap = 1000", "bootstrap = 200")
    return folder


@pytest.fixture(scope="module")
def told(folder):
    """What the two runs said, in the order of the README."""
    plain = gleis(folder, "run", "--json")
    return plain, gleis(folder, "run", "--set", "fairness.mitigate=prejudice_remover", "--json")


def ratio(told):
    return next(g for g in told.json["run"]["verdict"]["gates"] if g["gate"] == RATIO)


def test_the_plain_model_fails_its_fairness_gate_and_nothing_else(told):
    plain, _ = told
    assert plain.code == 1
    assert ratio(plain)["status"] == "fail"
    assert ratio(plain)["measured"]["low"] < 0.8
    others = [g for g in plain.json["run"]["verdict"]["gates"] if g["gate"] != RATIO]
    assert {gate["status"] for gate in others} == {"pass"}
    assert not plain.json["promoted"]


def test_the_mitigated_one_passes_and_is_live(told, folder):
    _, mitigated = told
    assert mitigated.code == 0
    assert ratio(mitigated)["measured"]["low"] >= 0.8
    evidence = mitigated.json["run"]["evidence"]
    assert evidence["fairness"]["mitigation"] == "prejudice_remover"
    assert mitigated.json["promoted"]
    project = Project.open(folder)
    served = project.registry.get("champion")
    assert served.number == 3
    project.home.close()


def test_nobody_is_asked_for_their_race(told):
    for run in told:
        features = run.json["run"]["evidence"]["importance"][0]["features"]
        assert not {"race", "sex", "married"} & set(features)


def test_each_has_its_report(told, folder, tmp_path):
    for version, said in (("v2", "Blocked by 1 of 5 gates."), ("v3", "Passed: 5 of 5 gates hold.")):
        target = tmp_path / f"{version}.html"
        assert gleis(folder, "report", version, "--html", str(target)).code == 0
        page = target.read_text()
        assert said in page
        assert "a gate asks for it" in page
        assert ("prejudice_remover" in page) == (version == "v3")
    assert gleis(folder, "gate", "v2").code == 1
    assert gleis(folder, "gate", "v3").code == 0
