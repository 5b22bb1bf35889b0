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


def test_one_kind_of_damage_does_not_hide_the_others():
    def scale_of(worst):
        drops = {"noise_1pct": 0.01, "noise_5pct": 0.02, "unit_slip": worst}
        kinds = tuple(
            Perturbed(
                name=name,
                description=name,
                figures={"log_loss_drop": Figure(value=drop, low=drop - 0.01, high=drop + 0.01)},
            )
            for name, drop in drops.items()
        )
        made = damage_chart(Robustness(rows=9, perturbations=kinds), "log_loss").to_dict()
        return made["layer"][-1]["encoding"]["x"]

    assert "type" not in scale_of(0.05)["scale"]
    far = scale_of(31.0)
    assert far["scale"]["type"] == "symlog"
    assert far["axis"]["values"] == [0.0, 0.01, 0.1, 1.0, 10.0]
