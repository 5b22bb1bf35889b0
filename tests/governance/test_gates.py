from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.evidence import Evidence, SliceFigures
from gleis.contracts.explanation import Importance
from gleis.contracts.fairness import AttributeFairness, Fairness, GroupFigures
from gleis.contracts.figure import Figure
from gleis.contracts.leakage import Leak, Leakage
from gleis.contracts.rivals import Rival
from gleis.contracts.robustness import Perturbed, Robustness, WorstSlice
from gleis.governance.gates import judge, judge_baseline

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


def pair(value, *, rows=300):
    return GroupFigures(values=value, rows=rows, figures={"selection_rate": figure(0.5, 0.4, 0.6)})


SHIFT = figure(0.08, 0.02, 0.15)
DEEP = msgspec.structs.replace(
    EVIDENCE,
    fairness=Fairness(
        min_group=30,
        figures={"theil_index": figure(0.1, 0.09, 0.11)},
        attributes=(
            AttributeFairness(
                attributes=("sex",),
                groups=(pair(("female",)), pair(("male",))),
                figures={"selection_rate_difference": SHIFT},
            ),
            AttributeFairness(
                attributes=("sex", "race"),
                groups=(
                    pair(("male", "white")),
                    pair(("female", "white")),
                    GroupFigures(values=("female", "black"), rows=7, figures={}),
                ),
                figures={"selection_rate_difference": SHIFT},
                unknown=("female and black (7 rows)",),
            ),
            AttributeFairness(
                attributes=("race",),
                groups=(
                    pair(("white",)),
                    GroupFigures(values=("black",), rows=12, figures={}),
                ),
                figures={},
                unknown=("black (12 rows)",),
            ),
        ),
    ),
    robustness=Robustness(
        rows=9000,
        perturbations=(
            Perturbed(
                name="noise_10pct",
                description="Noise of a tenth of each feature's spread.",
                figures={"roc_auc_drop": figure(0.01, 0.0, 0.02)},
            ),
        ),
    ),
    worst_slice=WorstSlice(
        conditions=("carrier = UA", "hour > 18"),
        rows=410,
        figures={"log_loss_ratio": figure(1.3, 1.1, 1.5)},
        searched=900,
        p_value=0.01,
    ),
    leakage=Leakage(checked=("groups", "duplicates")),
    simpler=(
        Rival(
            name="linear",
            description="a linear model",
            figures={"log_loss": figure(0.51, 0.50, 0.52)},
            gain={"log_loss": figure(0.015, 0.012, 0.018)},
        ),
        Rival(
            name="shallow_tree",
            description="a tree of depth 3",
            figures={"log_loss": figure(0.505, 0.495, 0.515)},
            gain={"log_loss": figure(0.016, 0.008, 0.024), "roc_auc": figure(NAN, NAN, NAN)},
        ),
    ),
    champion=Rival(
        name="v3",
        description="version 3",
        figures={"roc_auc": figure(0.68, 0.67, 0.69)},
        gain={"roc_auc": figure(0.003, -0.002, 0.008), "log_loss": figure(0.01, 0.004, 0.016)},
    ),
    importance=(
        Importance(
            method="permutation",
            unit="rise of log_loss",
            features={"zip": figure(0.01, 0.0, 0.02)},
            rows=9000,
        ),
    ),
)


@pytest.mark.parametrize(
    ("name", "rule", "status"),
    [
        ("fairness.sex.selection_rate_difference", "<= 0.15", "pass"),  # the upper end
        ("fairness.sex.selection_rate_difference", "<= 0.1", "fail"),
        ("fairness.sex.selection_rate_difference", "<= 0.1 by value", "pass"),
        ("fairness.sex.selection_rate_difference", "<= 0.07 by value", "fail"),
        ("fairness.sex.selection_rate_difference", ">= 0.02", "pass"),
        ("fairness.sex.selection_rate_difference", ">= 0.05", "fail"),
        ("fairness.sex.disparate_impact", ">= 0.8", "unknown"),
        ("fairness.sex*race.selection_rate_difference", "<= 0.2", "pass"),
        ("fairness.race*sex.selection_rate_difference", "<= 0.2", "pass"),
        ("fairness.race.selection_rate_difference", "<= 1", "unknown"),  # one group is known
        ("fairness.age.selection_rate_difference", "<= 1", "unknown"),
        ("fairness.sex.female.selection_rate", ">= 0.4", "pass"),
        ("fairness.sex*race.male*white.selection_rate", ">= 0.45", "fail"),
        ("fairness.theil_index", "<= 0.11", "pass"),
        ("fairness.theil_index", "<= 0.10", "fail"),
        ("fairness.coefficient", "<= 0.1", "unknown"),
        ("robustness.noise_10pct.roc_auc_drop", "<= 0.02", "pass"),
        ("robustness.noise_10pct.roc_auc_drop", "< 0.02", "fail"),
        ("robustness.noise_10pct.brier_drop", "<= 1", "unknown"),
        ("robustness.swapped.roc_auc_drop", "<= 1", "unknown"),
        ("slices.worst.log_loss_ratio", "<= 1.5", "pass"),
        ("slices.worst.log_loss_ratio", "<= 1.4", "fail"),
        ("slices.worst.brier_ratio", "<= 9", "unknown"),
        ("importance.zip", "<= 0.02", "pass"),
        ("importance.zip", "<= 0.015", "fail"),
        ("importance.age", "<= 1", "unknown"),
        ("leakage", "none", "pass"),
        ("simpler", "must lose by 0.008", "pass"),  # the closest by its lower end: the tree
        ("simpler", "must lose by 0.01", "fail"),
        ("simpler", "must lose by 0.015 by value", "pass"),
        ("simpler", "must lose", "pass"),
        ("log_loss", "better than simpler by 0.01", "fail"),
        ("roc_auc", "better than simpler", "unknown"),  # against the tree it is not a number
        ("brier", "better than simpler", "unknown"),
        ("log_loss", "better than baseline by 0.022", "pass"),
        ("log_loss", "better than baseline by 0.023", "fail"),
        ("log_loss", "better than champion", "pass"),
        ("log_loss", "better than champion by 0.004", "pass"),
        ("log_loss", "better than champion by 0.005", "fail"),
        ("roc_auc", "better than champion", "fail"),
        ("roc_auc", "better than champion by value", "pass"),
        ("roc_auc", "no worse than champion by 0.002", "pass"),
        ("roc_auc", "no worse than champion by 0.001", "fail"),
        ("f1", "better than champion", "unknown"),
    ],
)
def test_one_gate_of_each_section(name, rule, status):
    result = answer(name, rule, DEEP)
    assert (result.gate, result.asked, result.status) == (name, rule, status)
    assert name == "leakage" or (result.measured is None) == (status == "unknown")


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("fairness.sex.x_difference", "<= 1", "fairness.protected named no column"),
        ("fairness.theil_index", "<= 1", "fairness.protected named no column"),
        ("robustness.noise_10pct.roc_auc_drop", "<= 1", "damaged no test rows"),
        ("slices.worst.log_loss_ratio", "<= 9", "searched no worst slice"),
        ("importance.zip", "<= 1", "no importance"),
        ("leakage", "none", "did not look for leaks"),
        ("simpler", "must lose", "fitted no simpler models"),
        ("roc_auc", "better than champion", "not compared with a champion"),
    ],
)
def test_a_section_that_was_not_made_is_unknown_and_blocks(name, rule, said):
    result = answer(name, rule)
    assert result.status == "unknown"
    assert said in result.reason
    assert result.reason.endswith("an unknown figure blocks")
    assert not judge(EVIDENCE, {name: rule}).passed


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("fairness.race.x_difference", "<= 1", "1 groups have 30 test rows or more, too few in "),
        ("fairness.race.x_difference", "<= 1", "black (12)"),
        ("fairness.age.x_difference", "<= 1", "compared other groups: sex, sex*race, race"),
        ("robustness.swapped.roc_auc_drop", "<= 1", "tried other damage: noise_10pct"),
        ("slices.worst.brier_ratio", "<= 1", "carrier = UA, hour > 18"),
        ("roc_auc", "better than champion", "against that of the champion (v3) 0.680"),
        ("simpler", "must lose", "against that of shallow_tree 0.505"),
        ("leakage", "none", "2 checks, 0 warnings"),
    ],
)
def test_reasons_of_each_section(name, rule, said):
    assert said in answer(name, rule, DEEP).reason


def test_a_disparity_names_the_groups_it_does_not_speak_of():
    reason = answer("fairness.race*sex.selection_rate_difference", "<= 0.2", DEEP).reason
    assert reason.endswith("unknown, with fewer than 30 test rows: female and black (7 rows)")
    assert "unknown" not in answer("fairness.sex.selection_rate_difference", "<= 0.2", DEEP).reason


def test_certain_leaks_fail_with_their_reasons_and_warnings_do_not():
    sure = Leak(kind="group", column="experiment", certain=True, reason="Experiments leak.")
    doubt = Leak(kind="predictor", column="x", certain=False, reason="x predicts alone.")
    for leaks, status in (((sure, doubt), "fail"), ((doubt,), "pass"), ((), "pass")):
        evidence = msgspec.structs.replace(DEEP, leakage=Leakage(checked=("groups",), leaks=leaks))
        result = answer("leakage", "none", evidence)
        assert result.status == status
        assert ("Experiments leak" in result.reason) == (sure in leaks)
        assert "x predicts alone" not in result.reason
    assert "1 warning" in answer("leakage", "none", msgspec.structs.replace(
        DEEP, leakage=Leakage(checked=(), leaks=(doubt,)))).reason  # fmt: skip


def test_what_should_have_been_looked_for_and_could_not_be_blocks():
    leakage = Leakage(checked=("duplicates",), unchecked=("Groups of site: it is null.",))
    result = answer("leakage", "none", msgspec.structs.replace(DEEP, leakage=leakage))
    assert result.status == "unknown"
    assert "not all could be looked for: Groups of site: it is null;" in result.reason


def test_a_champion_that_cannot_be_compared_says_why():
    champion = Rival(
        name="v1", description="", figures={}, gain={}, notes=("its target is another one",)
    )
    evidence = msgspec.structs.replace(EVIDENCE, champion=champion)
    result = answer("roc_auc", "better than champion", evidence)
    assert result.status == "unknown"
    assert "its target is another one" in result.reason


def test_every_rule_of_a_figure_is_a_gate():
    verdict = judge(DEEP, {"roc_auc": (">= 0.6", "better than champion")})
    asked = [(gate.gate, gate.asked, gate.status) for gate in verdict.gates]
    assert asked == [
        ("roc_auc", ">= 0.6", "pass"),
        ("roc_auc", "better than champion", "fail"),
        ("log_loss", "better than baseline", "pass"),
    ]


TIGHTER = {
    ">=": lambda bound, step: bound + step,
    ">": lambda bound, step: bound + step,
    "<=": lambda bound, step: bound - step,
    "<": lambda bound, step: bound - step,
    "better than champion by": lambda bound, step: bound + step,
    "no worse than champion by": lambda bound, step: bound - step,
}


@given(
    low=st.floats(-2, 2),
    widths=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    bound=st.integers(-200, 200).map(lambda k: k / 100),
    step=st.integers(0, 100).map(lambda k: k / 100),
    form=st.sampled_from(sorted(TIGHTER)),
)
def test_a_tighter_rule_never_passes_what_failed(low, widths, bound, step, form):
    measured = figure(low + widths[0], low, low + widths[0] + widths[1])
    champion = Rival(name="v1", description="", figures={}, gain={"mae": measured})
    evidence = Evidence(rows=9, figures={"mae": measured}, baseline={}, gain={}, champion=champion)

    def passes(bound, ending=""):
        return answer("mae", f"{form} {bound}{ending}", evidence).status == "pass"

    tight = TIGHTER[form](bound, step)
    for ending in ("", " by value"):
        assert passes(bound, ending) or not passes(tight, ending)
    assert passes(bound, " by value") or not passes(bound)  # the interval asks for more
