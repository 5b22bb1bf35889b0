from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
from formula_models import contract, formula, number, numbers

from gleis.evidence.explain.anchor_search import AnchorSearch
from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.rules import Rules

NAMES = "abcdefgh"
FEATURES = contract(*(number(name) for name in NAMES))


def search(function, at, *, most_rows=45_000, seed=0):
    """Return a search, the rules it searches and a count of rows asked about."""
    model = formula(function, FEATURES, numbers(500, NAMES))
    rules = Rules(read_row(model, dict.fromkeys(NAMES, at)))
    asked = [0]

    def same(rows):
        asked[0] += len(rows)
        return function(rows) >= 0.5

    draw = np.random.default_rng(seed)
    return AnchorSearch(rules, same, 0.95, draw, most_rows), rules, asked


def test_what_all_rows_get_needs_no_rule():
    found, _, _ = search(lambda rows: np.ones(len(rows)), 1.0)
    assert next(found.proposals()) == ()


def test_one_condition_comes_before_two():
    found, _, _ = search(lambda rows: rows[:, 2] > 0.5, 1.0)
    first = next(found.proposals())
    assert [term.feature for term in first] == [2]


def test_many_conditions_are_found_from_above_and_none_too_many():
    found, rules, _ = search(lambda rows: (rows[:, :5] > 0.3).all(axis=1), 1.0)
    first = next(found.proposals())
    assert [term.feature for term in first] == [0, 1, 2, 3, 4]
    # Loosened until it would break: no bound is much above what is needed, and none has a top.
    assert all(term.high == np.inf for term in first)
    assert all(0.15 < term.low < 0.8 for term in first)
    assert all(rules.meets(term, np.array([1.0])).all() for term in first)


def test_rules_proposed_later_are_narrower():
    found, rules, _ = search(lambda rows: (rows[:, :5] > 0.3).all(axis=1), 1.0)
    proposed = list(islice(found.proposals(), 4))
    for wide, narrow in pairwise(proposed):
        assert (rules.holds(wide) | ~rules.holds(narrow)).all()


@pytest.mark.parametrize("most_rows", [1_000, 10_000, 45_000])
def test_it_asks_about_so_many_rows(most_rows):
    found, _, asked = search(lambda rows: (rows[:, :6] > 0.2).all(axis=1), 1.0, most_rows=most_rows)
    next(found.proposals(), None)
    assert asked[0] < most_rows + 15_000


def test_nothing_is_proposed_where_nothing_is_enough():
    found, _, _ = search(lambda rows: np.sin(1e4 * rows.sum(axis=1)) > 0, 1.0)
    assert list(found.proposals()) == []
    assert found.narrowest < 0.8
