from __future__ import annotations

import numpy as np
import pytest
from explained_models import flights
from known_models import by_formula, columns_of, forest, matrix_of, once
from sklearn.inspection import permutation_importance

from gleis.contracts.errors import DataError, InvalidRowError
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.permutation import (
    marks_of_missing,
    permutation,
    rises,
    shuffled_losses,
)

MATRIX = matrix_of()
LABELLED, DELAY = flights(400, seed=5)
LABELLED["late"] = np.where(DELAY > 32, "yes", "no").tolist()


@pytest.mark.parametrize(
    ("name", "scoring"),
    [("hist binary", "neg_log_loss"), ("hist", "neg_root_mean_squared_error")],
)
def test_as_sklearn_with_the_same_orders(name, scoring):
    estimator, model, matrix = forest(name)
    total = matrix[:, 0] * matrix[:, 2] + np.nan_to_num(matrix[:, 3])
    y = (total > 0.3).astype(int) if "binary" in name else total + 0.5
    theirs = permutation_importance(estimator, matrix, y, scoring=scoring, random_state=4)
    seed = np.random.RandomState(4).randint(np.iinfo(np.int32).max + 1)
    draw, index = np.random.RandomState(seed), np.arange(len(y))
    orders, now = [], np.arange(len(y))
    for _ in range(5):
        draw.shuffle(index)
        now = now[index]
        orders.append(now)
    losses, shuffled = shuffled_losses(model, matrix, y, [[0], [1], [2], [3]], np.array(orders))
    found = rises(losses, shuffled, model.contract.task, seed=0)
    assert [f.value for f in found] == pytest.approx(theirs.importances_mean, abs=1e-9)


def test_the_most_important_first_and_what_is_not_looked_at_is_nothing():
    y = 3 * MATRIX[:, 0] + MATRIX[:, 2]
    model = by_formula(lambda a, b, c, d: 3 * a + c, MATRIX)
    found = permutation(model, columns_of(MATRIX), target=y)
    assert list(found.features)[:2] == ["a", "c"]
    for name in ("b", "d"):
        assert found.features[name].value == found.features[name].high == 0.0
    # A model without errors: a squared rise is twice the variance that it moves.
    expected = 3 * MATRIX[:, 0].std() * np.sqrt(2)
    assert found.features["a"].low < expected < found.features["a"].high
    assert found.unit == "rise of rmse"
    assert found == permutation(model, columns_of(MATRIX), target=y)


def test_a_feature_is_shuffled_with_the_mark_of_its_missing_values():
    mark = np.isnan(MATRIX[:, 3]).astype(float)
    matrix = np.column_stack([MATRIX[:, 0], mark, MATRIX[:, 3]])
    assert marks_of_missing(matrix) == {1: 2}
    model = by_formula(lambda a, b, c: a + np.where(b == 1, 9.0, np.nan_to_num(c)), matrix)
    y = matrix[:, 0] + np.where(mark == 1, 9.0, np.nan_to_num(matrix[:, 2]))
    found = permutation(model, columns_of(matrix), target=y)
    assert set(found.features) == {"a", "c + b"}
    own = permutation(model, columns_of(matrix), target=y, groups={"all": ["a", "b", "c"]})
    assert set(own.features) == {"all"}


def test_labels_come_as_in_the_data():
    model = once("binary")
    by_column = explain(model, LABELLED, "permutation")
    apart = {name: values for name, values in LABELLED.items() if name != "late"}
    assert by_column == permutation(model, apart, target=LABELLED["late"])
    assert next(iter(by_column.features)) == "hour"
    assert by_column.unit == "rise of log_loss"


@pytest.mark.parametrize(
    ("error", "options", "said"),
    [
        (DataError, {"target": None}, "without the true answers"),
        (DataError, {"target": ["yes", "no"]}, "2 true answers of 400"),
        (DataError, {"target": ["perhaps"] * 400}, "no true answer"),
        (DataError, {"target": [None] * 400}, "no true answer"),
        (InvalidRowError, {"groups": {"time": ["hours"]}}, "Did you mean hour"),
        (InvalidRowError, {"repeats": 0}, "repeats is no whole number"),
        (InvalidRowError, {"repeats": 10**9}, "More than 100 orders"),
    ],
)
def test_what_cannot_be_measured_is_said(error, options, said):
    rows = {name: values for name, values in LABELLED.items() if name != "late"}
    with pytest.raises(error, match=said):
        permutation(once("binary"), rows, **({"target": LABELLED["late"]} | options))


def test_a_value_that_is_no_number():
    model = by_formula(lambda a, b, c, d: a, MATRIX)
    with pytest.raises(DataError, match="no true answer"):
        permutation(model, columns_of(MATRIX), target=[np.nan] * len(MATRIX))
