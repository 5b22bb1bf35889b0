from __future__ import annotations

import pytest

from gleis.cli.evidence_text import show_sections
from gleis.contracts.evidence import Evidence
from gleis.contracts.figure import Figure
from gleis.contracts.rivals import Rival
from gleis.contracts.robustness import Perturbed, Robustness, WorstSlice


def figure(value):
    return Figure(value=value, low=value - 0.01, high=value + 0.01)


def evidence(**sections):
    return Evidence(rows=500, figures={"log_loss": figure(0.4)}, baseline={}, gain={}, **sections)


@pytest.fixture
def said(capsys):
    def show(**sections):
        show_sections(evidence(**sections))
        return capsys.readouterr().out

    return show


def test_nothing_measured_says_nothing(said):
    assert said() == ""


def test_the_worst_slice(said):
    worst = WorstSlice(
        conditions=("hour > 17", "shop = b"),
        rows=120,
        figures={"log_loss": figure(0.8), "log_loss_ratio": figure(2.0)},
        searched=1234,
        p_value=0.004,
    )
    shown = said(worst_slice=worst)
    assert "hour > 17 and shop = b: log_loss 0.8000 (0.7900 to 0.8100), 2.00 times" in shown
    assert "120 rows that did not choose it; 1,234 slices were compared, p = 0.004" in shown
    note = "No slice has 50 rows."
    empty = WorstSlice(conditions=(), rows=0, figures={}, searched=0, p_value=1.0, notes=(note,))
    assert note in said(worst_slice=empty)


def test_damage_and_what_is_unknown_after_it(said):
    slip = {"log_loss_drop": figure(0.1), "flips": figure(0.2)}
    robustness = Robustness(
        rows=300,
        perturbations=(
            Perturbed(name="unit_slip", description="humid times 10.", figures=slip),
            Perturbed(name="unseen_category", description="The model refuses.", figures={}),
        ),
    )
    lines = said(robustness=robustness).splitlines()
    assert lines[1].split() == ["unit_slip", "0.1000", "0.0900", "0.1100", "0.2000"]
    assert lines[2].split() == ["unseen_category", "-", "-", "-", "-"]
    assert "unit_slip: humid times 10." in lines[3]
    assert "unseen_category: The model refuses." in lines[4]


def test_simpler_models(said):
    rivals = tuple(
        Rival(
            name=name,
            description="A model.",
            figures={"log_loss": figure(0.5)},
            gain={"log_loss": figure(0.1)},
            notes=("Fitted on a sample.",),
        )
        for name in ("linear", "shallow_tree")
    )
    shown = said(simpler=rivals)
    assert shown.splitlines()[1].split() == ["linear", "0.5000", "0.1000", "0.0900", "0.1100"]
    assert shown.count("Fitted on a sample.") == 1
