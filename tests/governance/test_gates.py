from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.errors import ConfigError
from gleis.contracts.evidence import Evidence, SliceFigures
from gleis.contracts.figure import Figure
from gleis.governance.gates import check_gates, judge, judge_baseline, parse_gate

NAN = float("nan")


def figure(value, low, high):
    return Figure(value=value, low=low, high=high)


EVIDENCE = Evidence(
    rows=9000,
    figures={
        "roc_auc": figure(0.683, 0.672, 0.694),
        "log_loss": figure(0.495, 0.485, 0.505),
        "brier": figure(NAN, NAN, NAN),
    },
    baseline={"log_loss": figure(0.52, 0.51, 0.53)},
    gain={
        "log_loss": figure(0.025, 0.022, 0.028),
        "roc_auc": figure(0.004, -0.001, 0.009),
        "f1": figure(0.0, 0.0, 0.0),
    },
    slices=(
        SliceFigures(
            column="carrier", value="UA", rows=800, figures={"roc_auc": figure(0.66, 0.61, 0.71)}
        ),
        SliceFigures(column="carrier", value="9", rows=5, figures={}),
        SliceFigures(
            column="carrier", value="9.E", rows=700, figures={"roc_auc": figure(0.7, 0.65, 0.75)}
        ),
        SliceFigures(column="carrier", value="HA", rows=12, figures={}),
    ),
)


def answer(name, rule, evidence=EVIDENCE):
    return judge(evidence, {name: rule}).gates[0]


@pytest.mark.parametrize(
    ("name", "rule", "status"),
    [
        ("roc_auc", ">= 0.672", "pass"),  # the lower end, and equal is enough
        ("roc_auc", "> 0.672", "fail"),
        ("roc_auc", ">= 0.68", "fail"),  # the value alone would pass
        ("roc_auc", "> 0.6", "pass"),
        ("roc_auc", "<= 0.694", "pass"),  # the upper end
        ("roc_auc", "< 0.694", "fail"),
        ("roc_auc", "<= 0.69", "fail"),
        ("log_loss", "<= 0.505", "pass"),
        ("log_loss", "<= 0.5", "fail"),
        ("log_loss", "< 0.51", "pass"),
        ("log_loss", "better than baseline", "pass"),
        ("roc_auc", "better than baseline", "fail"),  # the interval holds 0
        ("f1", "better than baseline", "fail"),  # no gain is no gain
        ("brier", "<= 1", "unknown"),  # not a number
        ("recall", ">= 0", "unknown"),  # not there
        ("brier", "better than baseline", "unknown"),
        ("slices.carrier.UA.roc_auc", ">= 0.6", "pass"),
        ("slices.carrier.UA.roc_auc", ">= 0.65", "fail"),
        ("slices.carrier.9.E.roc_auc", ">= 0.65", "pass"),
        ("slices.carrier.9.roc_auc", ">= 0.65", "unknown"),
        ("slices.carrier.HA.roc_auc", ">= 0.1", "unknown"),
        ("slices.carrier.ZZ.roc_auc", ">= 0.1", "unknown"),
    ],
)
def test_one_gate(name, rule, status):
    result = answer(name, rule)
    assert (result.gate, result.asked, result.status) == (name, rule, status)
    assert (result.measured is None) == (status == "unknown")
    verdict = judge(EVIDENCE, {name: rule})
    assert verdict.passed == (status == "pass")
    assert (result.reason in verdict.reasons) == (status != "pass")


def test_reasons_carry_the_figures():
    assert answer("roc_auc", ">= 0.60").reason == (
        "roc_auc 0.683 (0.672 to 0.694): asked >= 0.60, the lower end 0.672 holds"
    )
    assert answer("log_loss", "<= 0.5").reason == (
        "log_loss 0.495 (0.485 to 0.505): asked <= 0.5, the upper end 0.505 does not hold"
    )
    assert answer("log_loss", "better than baseline").reason == (
        "log_loss 0.495 (0.485 to 0.505) against the baseline's 0.520 (0.510 to 0.530): asked "
        "better than baseline, gain 0.0250 (0.0220 to 0.0280), the lower end 0.0220 holds"
    )
    assert "12 test rows" in answer("slices.carrier.HA.roc_auc", ">= 0.1").reason
    assert "no such slice" in answer("slices.carrier.ZZ.roc_auc", ">= 0.1").reason
    assert "blocks" in answer("recall", ">= 0").reason


def test_the_baseline_must_be_beaten_even_if_nobody_asks():
    for gates in ({}, {"roc_auc": ">= 0.6"}):
        last = judge(EVIDENCE, gates).gates[-1]
        assert (last.gate, last.asked, last.status) == ("log_loss", "better than baseline", "pass")
    asked = judge(EVIDENCE, {"roc_auc": "better than baseline"})
    assert [gate.gate for gate in asked.gates] == ["roc_auc"]


def test_the_implied_gate_blocks_a_model_that_is_no_better():
    same = Evidence(
        rows=100,
        figures={"rmse": figure(5, 4, 6)},
        baseline={"rmse": figure(5, 4, 6)},
        gain={"rmse": figure(0, -0.5, 0.5)},
    )
    verdict = judge(same, {})
    assert not verdict.passed
    assert verdict.gates[0].gate == "rmse"


def test_without_a_comparison_nothing_ships():
    alone = Evidence(rows=100, figures={"log_loss": figure(0.1, 0.1, 0.1)}, baseline={}, gain={})
    verdict = judge(alone, {"log_loss": "<= 0.5"})
    assert [gate.status for gate in verdict.gates] == ["pass", "unknown"]
    assert not verdict.passed
    assert not judge(Evidence(rows=0, figures={}, baseline={}, gain={}), {}).passed


def test_the_baseline_itself_passes():
    verdict = judge_baseline(EVIDENCE)
    assert verdict.passed
    assert verdict.gates[0].reason.startswith("the heuristic is version 1, log_loss 0.495")


@given(
    low=st.floats(-5, 5),
    width=st.floats(0, 2),
    bound=st.integers(-500, 500).map(lambda k: k / 100),
)
def test_a_pass_means_the_whole_interval_holds(low, width, bound):
    measured = figure(low + width / 2, low, low + width)
    evidence = Evidence(
        rows=9, figures={"mae": measured}, baseline={}, gain={"mae": measured, "rmse": measured}
    )
    inside = [low, low + width / 2, low + width]
    for rule, holds in (
        (f">= {bound}", all(x >= bound for x in inside)),
        (f"> {bound}", all(x > bound for x in inside)),
        (f"<= {bound}", all(x <= bound for x in inside)),
        (f"< {bound}", all(x < bound for x in inside)),
        ("better than baseline", all(x > 0 for x in inside)),
    ):
        assert (answer("mae", rule, evidence).status == "pass") == holds


@pytest.mark.parametrize("rule", [">= 0.6", "<=0.2", "> -1", "< 1e-3", "  >=   .5 ", ">= 1."])
def test_rules_that_are_read(rule):
    gate = parse_gate("f1", rule)
    assert gate.bound == float(rule.replace(" ", "").lstrip("<>="))
    assert rule.replace(" ", "").startswith(gate.relation)


@pytest.mark.parametrize(
    "rule",
    ["", "0.6", "=> 0.6", "== 0.6", ">= nan", ">= inf", ">= 0.6 or so", "better", ">= 60%", ">="],
)
def test_rules_that_are_not(rule):
    with pytest.raises(ConfigError, match="better than baseline") as caught:
        parse_gate("f1", rule)
    assert caught.value.field == "gates.f1"
    assert repr(rule) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("rocauc", ">= 0.6", "gates.rocauc.*Did you mean roc_auc"),
        ("rmse", "<= 1", "binary task has no figure"),
        ("roc_auc", "at least 0.6", "gates.roc_auc is not a rule"),
        ("slices.carrier.UA.rocauc", ">= 0.6", "slices of a binary task"),
        ("slices.carrier.UA.accuracy", ">= 0.6", "Known: roc_auc, log_loss, brier"),
        ("slices.carrier.UA.roc_auc", "better than baseline", "not compared with the baseline"),
        ("slices.carrier.roc_auc", ">= 0.6", "does not name a slice"),
        ("slices.origin.JFK.roc_auc", ">= 0.6", "not in evidence.slices: 'origin'"),
    ],
)
def test_gates_that_could_never_be_answered(name, rule, said):
    with pytest.raises(ConfigError, match=said) as caught:
        check_gates({"roc_auc": ">= 0.6", name: rule}, "binary", ["carrier"])
    assert caught.value.field == f"gates.{name}"


def test_gates_that_can_be_answered():
    check_gates(
        {
            "roc_auc": ">= 0.6",
            "brier": "better than baseline",
            "slices.carrier.9.E.log_loss": "<= 1",
        },
        "binary",
        ["carrier"],
    )
    check_gates({"slices.any.thing.mae": "<= 3"}, "regression")
    check_gates({}, "multiclass")
