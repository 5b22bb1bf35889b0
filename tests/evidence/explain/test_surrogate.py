from __future__ import annotations

import numpy as np
import pytest
from explained_models import flights
from known_models import by_formula, columns_of, matrix_of, once
from sklearn.metrics import r2_score

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.surrogate import r2, surrogate

MATRIX = matrix_of(800)
ROWS, _ = flights(1000, seed=3)


def test_rules_that_are_a_tree_are_found():
    model = by_formula(lambda a, b, c, d: np.where(c > 2, 5.0, 1.0) + (np.isnan(d) * 2.0), MATRIX)
    found = explain(model, columns_of(MATRIX), "surrogate")
    check = found.fidelity[0]
    assert check.holds
    assert check.low >= 0.5
    texts = {" and ".join(c.text for c in rule): value for rule, value, _ in found.rules}
    assert texts == pytest.approx({"c <= 2.5": texts["c <= 2.5"], "c > 2.5": texts["c > 2.5"]})
    assert sum(count for _, _, count in found.rules) == found.rows == 480
    whole = surrogate(model, columns_of(MATRIX), depth=2)
    assert whole.fidelity[0].value == pytest.approx(1.0, abs=1e-12)
    assert {round(value, 9) for _, value, _ in whole.rules} == {1.0, 3.0, 5.0, 7.0}
    assert {"d is missing", "d is known"} <= {c.text for rule, _, _ in whole.rules for c in rule}


def test_categories_are_named():
    found = surrogate(once("regression"), ROWS, depth=4)
    conditions = [c for rule, _, _ in found.rules for c in rule if c.feature == "carrier"]
    assert {c.text for c in conditions} <= {
        "carrier is UA", "carrier is not UA", "carrier is one of AA, B6"
    }  # fmt: skip
    assert all(c.categories for c in conditions)


def test_what_does_not_stand_for_the_model_is_not_shown():
    model = by_formula(lambda a, b, c, d: np.sin(40 * a), MATRIX)
    assert not surrogate(model, columns_of(MATRIX)).fidelity[0].holds
    with pytest.raises(CannotExplainError, match="fails its own check"):
        explain(model, columns_of(MATRIX), "surrogate")


def test_a_class_of_several_and_one_that_is_unknown():
    assert surrogate(once("multiclass"), ROWS, of="early").of == "early"
    with pytest.raises(InvalidRowError, match="class"):
        surrogate(once("multiclass"), ROWS, of="never")
    with pytest.raises(InvalidRowError, match="depth"):
        surrogate(once("binary"), ROWS, depth=9)


def test_r2_as_sklearn_says():
    draw = np.random.default_rng(0)
    truth, found, weights = draw.normal(size=30), draw.normal(size=30), draw.random((1, 30))
    theirs = r2_score(truth, found, sample_weight=weights[0])
    assert r2(truth, found, weights)[0] == pytest.approx(theirs, abs=1e-12)
    assert np.isnan(r2(np.ones(5), np.ones(5), np.ones((1, 5)))[0])
