from __future__ import annotations

import re

import vl_convert

from gleis.contracts.figure import Figure
from gleis.contracts.rivals import Rival
from gleis.contracts.robustness import Perturbed, Robustness, WorstSlice
from gleis.evidence.robustness.charts import damage_chart, rivals_chart, worst_slice_chart


def figure(value, reach=0.01):
    return Figure(value=value, low=value - reach, high=value + reach)


def spoken(chart):
    """Draw the chart and return all it shows as text."""
    return vl_convert.vegalite_to_svg(chart.to_json())


def colours(chart):
    """Return the colours of the dots, from the top."""
    dot = r'aria-roledescription="(?:point|circle)"[^>]*fill="([^"]+)"'
    return re.findall(dot, spoken(chart))


ROBUSTNESS = Robustness(
    rows=3000,
    perturbations=(
        Perturbed(name="noise_1pct", description="Noise.", figures={"roc_auc_drop": figure(0.001)}),
        Perturbed(name="unit_slip", description="Slip.", figures={"roc_auc_drop": figure(0.2)}),
        Perturbed(name="unseen_category", description="The model refuses.", figures={}),
    ),
)


def test_damage_that_surely_costs_has_another_colour():
    chart = damage_chart(ROBUSTNESS, "roc_auc")
    said = spoken(chart)
    assert "noise_1pct" in said
    assert "unit_slip" in said
    assert "unseen_category" not in said
    assert "3,000 test rows" in said
    assert colours(chart) == ["#0072B2", "#D55E00"]


def test_a_rival_that_surely_wins_has_another_colour():
    rivals = [
        Rival(name="linear", description="A line.", figures={}, gain={"rmse": figure(-0.5)}),
        Rival(name="shallow_tree", description="A tree.", figures={}, gain={"rmse": figure(0.5)}),
        Rival(name="other", description="Not fitted.", figures={}, gain={}),
    ]
    chart = rivals_chart(rivals, "rmse")
    assert "shallow tree" in spoken(chart)
    assert "other" not in spoken(chart)
    assert colours(chart) == ["#D55E00", "#0072B2"]


def test_the_worst_slice_beside_all_rows():
    worst = WorstSlice(
        conditions=("hour > 17", "shop = b"),
        rows=120,
        figures={"log_loss": figure(0.8)},
        searched=1234,
        p_value=0.004,
    )
    said = spoken(worst_slice_chart(worst, {"log_loss": figure(0.4)}, "log_loss"))
    for text in ("hour &gt; 17 and shop = b", "all test rows", "1,234 slices", "p = 0.004"):
        assert text in said


def test_nothing_to_draw_is_an_empty_chart():
    empty = WorstSlice(conditions=(), rows=0, figures={}, searched=0, p_value=1.0)
    for chart in (
        damage_chart(Robustness(rows=0, perturbations=()), "roc_auc"),
        rivals_chart([], "rmse"),
        worst_slice_chart(empty, {}, "rmse"),
    ):
        assert "<svg" in spoken(chart)
