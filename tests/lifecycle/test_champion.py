from __future__ import annotations

import shutil
from datetime import timedelta

import msgspec
import pytest

from benches import START, open_bench
from gleis import Project
from gleis.contracts.clock import SimulatedClock
from gleis.lifecycle.journey import run_on_demand
from small_projects import make_shifting
from trained_projects import edit

ASK = {"gates.log_loss": "better than champion"}


def run(folder, flags=None, *, days=0):
    bench = open_bench(folder, flags)
    bench.clock = SimulatedClock(START + timedelta(days=days))
    outcome = run_on_demand(bench)
    bench.home.close()
    return outcome


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A project whose champion, version 2, is a weak model."""
    folder = make_shifting(tmp_path_factory.mktemp("champion") / "p")
    assert run(folder, {"params.C": 0.0005, "gates.roc_auc": ">= 0.5"}).promoted
    return folder


@pytest.fixture
def folder(live, tmp_path):
    return shutil.copytree(live, tmp_path / "p")


def gate(outcome, asked="better than champion"):
    return next(one for one in outcome.run.verdict.gates if one.asked == asked)


def test_the_first_model_is_compared_with_the_heuristic(tmp_path):
    outcome = run(make_shifting(tmp_path / "p"), ASK)
    champion, evidence = outcome.run.evidence.champion, outcome.run.evidence
    assert champion.name == "v1"
    assert "the heuristic" in champion.description
    assert outcome.promoted
    # The champion is the baseline, asked as its package is served.
    assert champion.figures == {name: evidence.baseline[name] for name in champion.figures}
    assert champion.gain == evidence.gain


def test_a_better_model_passes_and_the_evidence_names_the_champion(folder):
    outcome = run(folder, ASK)
    assert gate(outcome).status == "pass"
    champion = outcome.run.evidence.champion
    assert champion.name == "v2"
    assert champion.gain["log_loss"].low > 0
    assert champion.notes == ()
    assert outcome.promoted


def test_a_worse_model_is_blocked(folder):
    assert run(folder, {}).promoted
    outcome = run(folder, {**ASK, "params.C": 0.001})
    assert gate(outcome).status == "fail"
    assert "that of the champion (v3)" in gate(outcome).reason
    assert outcome.run.evidence.champion.gain["log_loss"].high < 0
    assert not outcome.promoted


def test_without_a_gate_that_asks_nobody_is_compared(folder):
    assert run(folder).run.evidence.champion is None


def test_the_champion_itself_is_no_better_than_itself(folder):
    outcome = run(folder, {**ASK, "params.C": 0.0005, "gates.roc_auc": ">= 0.5"})
    assert gate(outcome).status == "fail"
    assert outcome.run.evidence.champion.gain["log_loss"].value == 0
    assert "this very model" in outcome.run.evidence.champion.notes[0]


def test_test_rows_that_the_champion_was_trained_on_are_counted(folder):
    later = run(folder, {}, days=1)
    assert later.run.dataset.version == 2
    wide = {**ASK, "split.test": "8d", "params.C": 0.9}
    notes = run(folder, wide, days=2).run.evidence.champion.notes
    assert notes == ()  # the champion's split is taken to be today's: its training ended earlier
    edit(folder / "gleis.toml", 'by = "time"\ntest = "3d"', 'by = "random"\ntest = 0.3')
    (note,) = run(folder, ASK, days=2).run.evidence.champion.notes
    assert "may have been trained on" in note
    assert "that favours it" in note


def test_a_champion_of_another_contract_makes_the_gate_unknown(folder):
    edit(folder / "shifting.py", '"channel": channel,', '"channel": channel, "extra": pages * 2.0,')
    edit(folder / "shifting.py", '["price", "pages"]', '["price", "extra"]')
    wider = run(folder, days=1)
    assert wider.promoted
    edit(folder / "gleis.toml", "[evidence]", '[features]\nexclude = ["extra"]\n[evidence]')
    edit(folder / "shifting.py", '["price", "extra"]', '["price", "pages"]')
    narrow = run(folder, ASK, days=1)  # the rows still have the column
    assert gate(narrow).status in ("pass", "fail")
    outcome = run(folder, {**ASK, "project.positive": 0}, days=1)
    assert gate(outcome).status == "unknown"
    assert "it answers other classes" in gate(outcome).reason
    assert not outcome.promoted


def test_a_damaged_champion_makes_the_gate_unknown(folder):
    bench = open_bench(folder)
    path = bench.registry.path(bench.deployments.champion().version)
    bench.home.close()
    (path / "card.md").write_text("altered")
    outcome = run(folder, ASK)
    assert gate(outcome).status == "unknown"
    assert "cannot be compared" in gate(outcome).reason


def test_a_run_is_done_again_once_another_model_is_champion(folder):

    first = Project.open(folder, ASK, as_of=START).run()
    assert first.promoted
    again = Project.open(folder, ASK, as_of=START).run()
    assert again.unchanged
    project = Project.open(folder, {}, as_of=START)
    project.rollback("for the test")
    project.home.close()
    third = Project.open(folder, ASK, as_of=START).run()
    assert third.unchanged  # version 2 is champion again: the same comparison
    assert msgspec.json.encode(third.run.verdict) == msgspec.json.encode(first.run.verdict)
    Project.open(folder, {}, as_of=START).promote("v1", "for the test")
    fourth = Project.open(folder, ASK, as_of=START).run()
    assert not fourth.unchanged
    assert fourth.run.evidence.champion.name == "v1"
