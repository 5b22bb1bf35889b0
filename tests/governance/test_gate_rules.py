from __future__ import annotations

import pytest

from gleis.contracts.errors import ConfigError
from gleis.governance.gate_rules import parse_gate, parse_gates


@pytest.mark.parametrize("rule", [">= 0.6", "<=0.2", "> -1", "< 1e-3", "  >=   .5 ", ">= 1."])
def test_thresholds(rule):
    for ending, by_value in (("", False), ("  by  value", True)):
        gate = parse_gate("f1", rule + ending)
        assert gate.bound == float(rule.replace(" ", "").lstrip("<>="))
        assert rule.replace(" ", "").startswith(gate.relation)
        assert gate.by_value == by_value
        assert gate.rival is None


@pytest.mark.parametrize("rival", ["baseline", "champion", "simpler"])
def test_rivals(rival):
    better = parse_gate("f1", f"better than {rival}")
    assert (better.relation, better.rival, better.bound, better.strict) == (
        "better",
        rival,
        0.0,
        True,
    )
    by = parse_gate("f1", f"better than {rival} by 0.01")
    assert (by.bound, by.strict, by.by_value) == (0.01, False, False)
    assert parse_gate("f1", f"no worse than {rival} by 0.01 by value").bound == -0.01
    assert parse_gate("f1", f"better than {rival} by value").by_value


def test_leakage_and_simpler():
    assert parse_gate("leakage", "none").relation == "none"
    assert parse_gate("simpler", "must lose").strict
    lose = parse_gate("simpler", "must lose by 0.01")
    assert (lose.relation, lose.rival, lose.bound, lose.strict) == (
        "better",
        "simpler",
        0.01,
        False,
    )


def test_a_figure_may_have_several_rules():
    gates = list(parse_gates({"f1": (">= 0.5", "better than baseline"), "brier": "<= 0.2"}))
    assert [(gate.name, gate.rule) for gate in gates] == [
        ("f1", ">= 0.5"),
        ("f1", "better than baseline"),
        ("brier", "<= 0.2"),
    ]
    assert list(parse_gates({"f1": ()})) == []


@pytest.mark.parametrize(
    "rule",
    [
        *("", "0.6", "=> 0.6", "== 0.6", ">= nan", ">= inf", ">= 0.6 or so", "better", ">= 60%"),
        *(">=", "better than", "better than nobody", "better than champion by", "must win"),
        *("no worse than champion", ">= 0.6 by heart", "none of it", "better than baseline by 1%"),
    ],
)
def test_what_is_not_a_rule(rule):
    with pytest.raises(ConfigError, match="better than baseline") as caught:
        parse_gate("f1", rule)
    assert caught.value.field == "gates.f1"
    assert repr(rule) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("f1", "none", 'leakage = "none"'),
        ("leakage", "<= 0", 'leakage = "none"'),
        ("leakage", "must lose", 'leakage = "none"'),
        ("f1", "must lose by 0.01", "better than simpler by 0.01"),
        ("simpler", ">= 0.01", "must lose by 0.01"),
        ("simpler", "better than baseline", "must lose by 0.01"),
    ],
)
def test_rules_at_the_wrong_name(name, rule, said):
    with pytest.raises(ConfigError, match=said) as caught:
        parse_gate(name, rule)
    assert caught.value.field == f"gates.{name}"
