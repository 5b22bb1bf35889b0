from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
import vl_convert
from known_models import ROWS, once
from test_permutation import LABELLED
from test_words import ASKED, CONTRACT, COVERAGE, EXPLAIN, FIGURE, contributions

from gleis.contracts.errors import CannotExplainError
from gleis.contracts.explanation import (
    Anchor,
    Condition,
    Counterfactual,
    Counterfactuals,
    Fidelity,
    Importance,
)
from gleis.contracts.figure import Figure
from gleis.evidence.explain.charts import chart_of
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.words import in_words, wording

NAMES = wording(EXPLAIN, "en")


def spoken(explanation, contract=CONTRACT, names=NAMES):
    """Draw the chart and return all it shows as text; it needs nothing from elsewhere."""
    drawn = chart_of(explanation, contract, names).to_json()
    assert '"url"' not in drawn
    return vl_convert.vegalite_to_svg(drawn)


def drawn_rows(explanation):
    datasets = json.loads(chart_of(explanation, CONTRACT, NAMES).to_json())["datasets"]
    return [row for rows in datasets.values() for row in rows]


def test_a_waterfall_begins_at_the_base_and_ends_at_the_answer():
    found = contributions(base_value=0.679, value=-0.32)
    svg = spoken(found)
    for word in ("Chance of approval: 42.0%", "the loan = 150,000 USD", "log-odds", "married"):
        assert word in svg
    bars = [row for row in drawn_rows(found) if "start" in row]
    assert bars[0]["start"] == 0.679
    assert bars[-1]["end"] == pytest.approx(-0.32, abs=1e-9)
    assert all(a["end"] == b["start"] for a, b in pairwise(bars))


def test_the_bars_of_a_simplification_begin_at_nothing():
    found = contributions(method="lime", conditions={"loan": "loan > 99"}, link="identity")
    assert "the loan &gt; 99" in spoken(found)
    same = contributions(method="lime", conditions={"married": "married = 1"}, link="identity")
    assert "married = married" in spoken(same)
    assert {row["start"] for row in drawn_rows(found) if "start" in row} == {0.0}


def test_many_features_share_a_bar():
    parts = {f"f{i}": 1.0 + i for i in range(30)}
    bars = [row for row in drawn_rows(contributions(contributions=parts)) if "start" in row]
    assert len(bars) == 13
    assert bars[-1]["label"] == "18 others"
    assert sum(bar["adds"] for bar in bars) == pytest.approx(sum(parts.values()))


def test_a_rule_and_its_figures():
    rule = (Condition(feature="loan", text="loan <= 99", high=99.0),)
    anchor = Anchor(explained=ASKED, rule=rule, precision=FIGURE, coverage=COVERAGE, fidelity=())
    svg = spoken(anchor)
    for word in ("the loan is at most 99 USD", "It stays refusal", "97.1%", "12.0%", "coverage"):
        assert word in svg


def test_a_table_of_ways_to_another_answer():
    way = Counterfactual(
        changes={"loan": (150000.0, 120000.0)}, prediction="1", score=0.61, distance=0.4
    )
    other = Counterfactual(changes={"married": (1, 0)}, prediction="1", score=0.5, distance=1.0)
    found = Counterfactuals(
        explained=ASKED, found=(way, other), immutable=("ratio",), fidelity=(), note="2 of 4"
    )
    svg = spoken(found)
    for word in ("120,000 USD", "150,000 USD", "as now", "way 2", "61%", "42%", "2 of 4"):
        assert word in svg
    assert "Not changed: the debt ratio" in svg


@pytest.mark.parametrize("method", ["pdp", "ice", "ale"])
@pytest.mark.parametrize("feature", ["temp", "carrier", "night"])
def test_curves_and_dots(method, feature):
    model = once("binary")
    svg = spoken(explain(model, ROWS, method, feature=feature), model.contract, None)
    assert f"hance of late = yes by {feature}" in svg
    assert ("not given" in svg) == (feature == "temp" and method != "ale")
    assert "95%" in svg


def test_two_features_are_a_map():
    model = once("binary")
    found = explain(model, ROWS, "pdp", feature="hour", beside="carrier")
    svg = spoken(found, model.contract, None)
    for word in ("by hour and carrier", "is not a sum of two curves", "UA", "B6"):
        assert word in svg
    words = in_words(found, model.contract)
    highest = max((v, line) for line in found.surface for v in line)[0]
    assert f"and highest, {highest:.0%}, where they are" in words
    assert "With carrier set too, it is lowest" in words


def test_by_recursion_without_a_band_on_its_own_scale():
    model = once("binary")
    found = explain(model, ROWS, "pdp", feature="hour", by="trees")
    svg = spoken(found, model.contract, None)
    assert "(logit)" in svg
    assert "training weights" in svg


def test_importance_with_intervals():
    model = once("binary")
    svg = spoken(explain(model, LABELLED, "permutation"), model.contract, None)
    for word in ("hour", "carrier", "rise of log_loss", "400 rows"):
        assert word in svg


def test_a_swarm_keeps_its_points():
    points = tuple((math.nan if i == 0 else i / 40, math.sin(i)) for i in range(41))
    figure = Figure(value=0.5, low=0.4, high=0.6)
    found = Importance(
        method="shap_summary", unit="mean |SHAP| (logit)", features={"loan": figure},
        points={"loan": points}, rows=41,
    )  # fmt: skip
    svg = spoken(found)
    assert "the loan" in svg
    assert "SHAP (logit)" in svg
    rows = [row for row in drawn_rows(found) if "shap" in row]
    assert len(rows) == 41
    assert [row["place"] for row in rows].count(None) == 1
    assert len({(round(row["shap"], 2), row["beside"]) for row in rows}) > 30
    bars = Importance(method="shap_summary", unit="u", features={"loan": figure}, rows=4)
    assert "the loan" in spoken(bars)


def test_rules_of_a_small_tree():
    model = once("regression")
    svg = spoken(explain(model, ROWS, "surrogate"), model.contract, None)
    for word in ("hour", "R2 0.", "rows)"):
        assert word in svg


def test_what_failed_its_check_is_not_drawn():
    fails = Fidelity(measure="local R2", value=0.1, asked=">= 0.25", holds=False)
    with pytest.raises(CannotExplainError, match=r"local R2 is 0\.1"):
        chart_of(contributions(fidelity=(fails,)), CONTRACT)
