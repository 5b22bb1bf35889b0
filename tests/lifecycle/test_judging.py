from __future__ import annotations

import msgspec
import pytest

from gleis import Project
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.judging import judge_again
from trained_projects import trained


@pytest.fixture(scope="module")
def run():
    return Project.open(trained()).runs()[-1]


def test_the_recorded_verdict_where_nothing_changed(run):
    judged = judge_again(run, Project.open(trained()).settings)
    assert judged.verdict == run.verdict
    assert judged.changed == ""
    assert judged.run == run.id
    assert judged.sentence == "Passed: 2 of 2 gates hold."


def test_todays_gates_and_what_the_record_says(run):
    project = Project.open(trained(), {"gates.accuracy": ">= 0.9999", "gates.leakage": "none"})
    before = project.runs()
    judged = judge_again(run, project.settings)
    assert not judged.verdict.passed
    assert judged.changed.startswith("The gates have changed since this run was judged (accuracy, ")
    assert "The record says passed, and stays." in judged.changed
    assert project.runs() == before


def test_a_baseline_keeps_its_verdict():
    project = Project.open(trained(), {"gates.accuracy": ">= 0.9999"})
    baseline = project.runs()[0]
    assert judge_again(baseline, project.settings).verdict == baseline.verdict


def test_a_gate_that_nothing_could_answer_is_an_error(run):
    with pytest.raises(ConfigError, match="Did you mean accuracy"):
        judge_again(run, Project.open(trained(), {"gates.acuracy": ">= 0.5"}).settings)


def test_a_run_of_before_there_were_verdicts(run):
    judged = judge_again(
        msgspec.structs.replace(run, verdict=None), Project.open(trained()).settings
    )
    assert judged.changed == "The run has no recorded verdict."
    assert judged.verdict == run.verdict
