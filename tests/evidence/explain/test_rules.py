from __future__ import annotations

import numpy as np
import pytest
from explained_models import ROW, explainable, flights
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.rules import Rules, Term, changed, joined


@pytest.fixture(scope="module")
def rules():
    return Rules(read_row(explainable("binary"), ROW | {"temp": None}))


def test_all_rules_hold_of_the_row(rules):
    row = rules.asked.numbers[None]
    for term in [*rules.coarse(), *rules.tightest()]:
        assert rules.meets(term, row[:, term.feature]).all()
        assert all(rules.meets(other, row[:, term.feature]).all() for other in rules.wider(term))


def test_wider_is_wider_and_comes_to_an_end(rules):
    for tight in rules.tightest():
        term, steps = tight, 0
        while wider := rules.wider(term):
            for other in wider:
                assert (rules.held(other) | ~rules.held(term)).all()
                assert not other.own
            term, steps = wider[0], steps + 1
        assert steps < 110
        assert (steps > 0) == (term.feature in {1, 3})


@given(st.data())
def test_a_rule_holds_of_what_is_drawn_under_it(rules, data):
    terms = data.draw(st.lists(st.sampled_from(rules.coarse()), max_size=6))
    rule = ()
    for term in terms:
        rule = joined(rule, term)
    rows = rules.sample([(), rule], 200, np.random.default_rng(0))[200:]
    for term in rule:
        assert rules.meets(term, rows[:, term.feature]).all()
    # What the rule says nothing of is as in the background, row by row.
    free = [j for j in range(rows.shape[1]) if j not in {term.feature for term in rule}]
    base = rules.sample([(), rule], 200, np.random.default_rng(0))[:200]
    np.testing.assert_array_equal(rows[:, free], base[:, free])


def test_joined_bounds_are_the_narrower_ones():
    rule = joined(joined((), Term(1, low=2.0)), Term(1, high=5.0))
    assert rule == (Term(1, 2.0, 5.0),)
    assert joined(rule, Term(1, low=1.0)) == rule
    assert joined(rule, Term(0)) == (Term(0), Term(1, 2.0, 5.0))
    assert changed(joined(rule, Term(0)), {Term(0): None}) == rule
    assert changed(rule, {rule[0]: Term(1, 0.0, 5.0)}) == (Term(1, 0.0, 5.0),)


def test_a_category_that_the_background_lacks_is_the_rows_own():
    model = explainable("binary").knowing({"carrier": ["ZZ"]})
    rules = Rules(read_row(model, ROW | {"carrier": "ZZ"}))
    rows = rules.sample([(Term(0),)], 50, np.random.default_rng(0))
    assert (rows[:, 0] == rules.asked.numbers[0]).all()
    assert not rules.holds((Term(0),)).any()


def test_conditions_in_words(rules):
    words = [condition.text for condition in rules.conditions((Term(0), Term(2), Term(3, 9, 17)))]
    assert words == ["carrier = UA", "temp is missing", "9 < hour <= 17"]


def test_coarse_conditions_are_quarters_of_the_background(rules):
    columns, _ = flights(200, seed=7)
    edges = np.quantile(columns["distance"], [0.25, 0.5, 0.75])
    bounds = [t for t in rules.coarse() if t.feature == 1]
    assert len(bounds) == 3
    seen = np.sort(columns["distance"])
    edges = [seen[seen <= edge].max() for edge in edges]
    assert sorted(t.high if np.isfinite(t.high) else t.low for t in bounds) == edges
