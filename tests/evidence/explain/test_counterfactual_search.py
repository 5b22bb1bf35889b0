from __future__ import annotations

import numpy as np
import pytest
from formula_models import contract, formula, number, numbers

from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.counterfactual_search import CounterfactualSearch
from gleis.evidence.explain.scope import Scope
from gleis.evidence.explain.want import Want

NAMES = "abcdef"
FEATURES = contract(*(number(name) for name in NAMES))


def search(function, at, immutable=(), enough=3, **more):
    model = formula(function, FEATURES, numbers(400, NAMES), **more)
    asked = read_row(model, dict.fromkeys(NAMES, at))
    scope = Scope(asked, immutable)
    return CounterfactualSearch(scope, Want(model, 0, 1), enough)


@pytest.mark.parametrize("needed", [1, 2, 3, 4])
def test_as_many_changes_as_are_needed(needed):
    """The answer asks that so many features are above 0.5."""
    found = search(lambda rows: np.where((rows > 0.5).sum(axis=1) >= needed, 0.9, 0.1), 0.0)
    rows = found.find()
    changed = found.scope.steps(rows) > 0
    assert (changed.sum(axis=1) == needed).all()
    # Each is moved just across the edge, to a number as short as the data let it be.
    assert ((rows[changed] > 0.5) & (rows[changed] < 0.5 + 0.03)).all()
    assert len(np.unique(changed, axis=0)) >= 3


def test_a_change_that_only_known_rows_show_is_found():
    """Seven at once: more than are tried together."""
    names = "abcdefgh"
    draw = np.random.default_rng(0)
    rows = np.where(draw.random((300, 1)) < 0.1, 2.0, draw.normal(size=(300, 8)) / 4)
    background = dict(zip(names, rows.T.tolist(), strict=True))
    features = contract(*(number(name) for name in names))
    model = formula(lambda m: np.where((m > 1.5).sum(axis=1) >= 7, 0.9, 0.1), features, background)
    scope = Scope(read_row(model, dict.fromkeys(names, 0.0)), ())
    found = CounterfactualSearch(scope, Want(model, 0, 1), 1).find()
    assert ((scope.steps(found) > 0).sum(axis=1) == 7).all()
    assert len(found) >= 1


def test_it_counts_what_it_tried_and_how_near_it_came():
    found = search(lambda rows: 0.2 + 0.05 * np.tanh(rows[:, 0]), 0.0)
    assert len(found.find()) == 0
    assert found.tried > 100
    assert 0.25 < found.nearest < 0.26


def test_rows_between_known_ones_are_off():
    found = search(lambda rows: rows[:, 0] > 1, 0.0)
    known = found.scope.asked.background[:1]
    far = np.full((1, 6), 9.0)
    assert found.off(known)[0] == 0.0
    assert found.off(far)[0] > 5


def test_a_way_that_needs_more_is_found_beside_one_that_needs_one():
    def either(rows):
        return np.where((rows[:, 0] > 0.5) | (rows[:, 1:4] > 0.5).all(axis=1), 0.9, 0.1)

    found = search(either, 0.0, enough=2)
    changed = found.scope.steps(found.find()) > 0
    assert {tuple(np.flatnonzero(row)) for row in changed} == {(0,), (1, 2, 3)}
