from __future__ import annotations

import numpy as np
import pytest
from explained_models import flights
from known_models import FORESTS, ROWS, by_formula, columns_of, forest, matrix_of, once
from sklearn.inspection import partial_dependence

from gleis.contracts.errors import CannotExplainError, DataError, InvalidRowError
from gleis.evidence.explain.effects import ice, pdp
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.grids import grid_of
from gleis.evidence.explain.tree_recursion import tree_lines

GRID = np.linspace(-1.5, 1.5, 9)


def by_sklearn(estimator, matrix, task, kind="both", method="brute"):
    more = (
        {}
        if task == "regression" or method == "recursion"
        else {"response_method": "predict_proba"}
    )
    return partial_dependence(
        estimator, matrix, [0], custom_values={0: GRID}, kind=kind, method=method, **more
    )


@pytest.mark.parametrize("name", FORESTS)
def test_every_row_at_every_value_as_sklearn_asks_them(name):
    estimator, model, matrix = forest(name)
    found = by_sklearn(estimator, matrix, FORESTS[name][1])
    curve = ice(model, columns_of(matrix), feature="a", grid=GRID.tolist(), lines=len(matrix))
    assert np.array(curve.lines) == pytest.approx(found.individual[-1], abs=1e-9)
    mean = pdp(model, columns_of(matrix), feature="a", grid=GRID.tolist())
    assert mean.values == pytest.approx(found.average[-1], abs=1e-9)
    assert mean.link == "identity"


@pytest.mark.parametrize("name", ["hist", "hist binary", "boosted", "forest"])
def test_by_recursion_as_sklearn_does(name):
    estimator, model, matrix = forest(name)
    task = FORESTS[name][1]
    found = by_sklearn(estimator, matrix, task, kind="average", method="recursion").average[0]
    curve = pdp(model, columns_of(matrix), feature="a", grid=GRID.tolist(), by="trees")
    mine = np.array(curve.values)
    if name != "forest":  # sklearn leaves the constant that boosting starts from out
        mine, found = mine - mine[0], found - found[0]
    assert mine == pytest.approx(found, abs=1e-9)
    assert curve.link == ("logit" if task == "binary" else "identity")
    assert curve.low == ()


def test_walking_the_trees_is_asking_the_model():
    compiled, fitted = once("multiclass"), once("multiclass", compiled=False)
    for feature in ("temp", "hour"):
        walked = ice(compiled, ROWS, feature=feature, of="late")
        asked = ice(fitted, ROWS, feature=feature, of="late")
        assert np.array(walked.lines) == pytest.approx(np.array(asked.lines), abs=1e-12)
        assert walked.fidelity[0].measure == "gap to the model"
        assert walked.fidelity[0].value < 1e-12
        assert "gap to the model" not in {check.measure for check in asked.fidelity}


@pytest.mark.parametrize("feature", ["carrier", "night"])
def test_a_grid_of_few_values_is_walked_the_same_way(feature):
    model = once("multiclass")
    matrix = model.encode(ROWS)
    at = grid_of(model, matrix, feature)
    moved = np.tile(matrix[0], (len(at.numbers), 1))
    moved[:, at.place] = at.numbers
    walked = tree_lines(model.model, model.decode(matrix), model.decode(moved), [at.place], 2)
    asked = ice(once("multiclass", compiled=False), ROWS, feature=feature, lines=len(matrix))
    assert walked == pytest.approx(np.array(asked.lines), abs=1e-12)


def test_missing_is_a_value_of_its_own_and_categories_come_by_frequency():
    model = once("regression")
    assert pdp(model, ROWS, feature="temp").grid[-1] is None
    assert None not in pdp(model, ROWS, feature="hour").grid
    found = pdp(model, ROWS, feature="carrier")
    assert list(found.counts) == sorted(found.counts, reverse=True)
    assert set(found.grid) == {"AA", "B6", "UA"}
    assert set(pdp(model, ROWS, feature="night").grid) == {True, False}


def test_the_interval_is_of_the_mean_and_the_band_of_the_rows():
    matrix = matrix_of(1000)
    model = by_formula(lambda a, b, c, d: 2 * a + b, matrix)
    mean = pdp(model, columns_of(matrix), feature="a")
    half = (np.array(mean.high) - np.array(mean.low)) / 2
    assert half == pytest.approx(1.959964 * matrix[:, 1].std(ddof=1) / np.sqrt(1000), rel=1e-6)
    assert mean.values == pytest.approx(2 * np.array(mean.grid) + matrix[:, 1].mean(), abs=1e-12)
    lines = ice(model, columns_of(matrix), feature="a", lines=7)
    assert len(lines.lines) == 7
    low = 2 * np.array(lines.grid) + np.quantile(matrix[:, 1], 0.025)
    assert lines.low == pytest.approx(low, abs=1e-12)


def test_leaving_what_was_seen_is_said():
    matrix = matrix_of(1000)
    model = by_formula(lambda a, b, c, d: a + c, matrix)
    together = pdp(model, columns_of(matrix), feature="a")
    assert "a goes together with b" in together.notes[0]
    assert together.fidelity[-1].value > 0.3
    assert pdp(model, columns_of(matrix), feature="c").notes == ()


def test_more_rows_than_needed_are_sampled_by_the_seed():
    many, _ = flights(3000, seed=1)
    model = once("binary")
    found = pdp(model, many, feature="hour")
    assert found.rows == 2000
    assert found == pdp(model, many, feature="hour")


@pytest.mark.parametrize("method", ["pdp", "ice", "ale"])
@pytest.mark.parametrize(
    ("error", "options", "change", "said"),
    [
        (InvalidRowError, {"feature": "hours"}, {}, "Did you mean hour"),
        (InvalidRowError, {"feature": "hour", "of": "perhaps"}, {}, "class"),
        (InvalidRowError, {"feature": "hour", "grid": 1}, {}, "no whole number of 2"),
        (InvalidRowError, {"feature": "hour", "grid": "many"}, {}, "no whole number of 2"),
        (InvalidRowError, {"feature": "hour", "grid": 10**9}, {}, "more than 100 values"),
        (InvalidRowError, {"feature": "hour", "grid": [1]}, {}, "two values"),
        (InvalidRowError, {"feature": "hour", "grid": [3, 3]}, {}, "twice"),
        (InvalidRowError, {}, {}, "needs feature"),
        (InvalidRowError, {"feature": "hour", "grid": ["noon", "x"]}, {}, "no value of hour"),
        (DataError, {"feature": "hour"}, {"hour": ["noon"] * 300}, "hour"),
        (CannotExplainError, {"feature": "hour"}, {"hour": [3] * 300}, "one value only"),
        (CannotExplainError, {"feature": "temp"}, {"temp": [None] * 300}, "missing in all rows"),
        (
            CannotExplainError,
            {"feature": "carrier"},
            {"carrier": [f"C{i}" for i in range(300)]},
            "300 categories",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_once(method, error, options, change, said):
    with pytest.raises(error, match=said):
        explain(once("binary"), ROWS | change, method, **options)


def test_ten_thousand_categories():
    rows, _ = flights(10_000)
    rows["carrier"] = [f"C{i}" for i in range(10_000)]
    with pytest.raises(CannotExplainError, match="categories in these rows"):
        explain(once("binary"), rows, "pdp", feature="carrier")
    named = explain(once("binary"), rows, "pdp", feature="carrier", grid=["UA", "AA"])
    assert named.grid == ("UA", "AA")


@pytest.mark.parametrize("method", ["pdp", "ice", "ale", "surrogate"])
def test_one_row_is_too_few(method):
    one = {name: values[:1] for name, values in ROWS.items()}
    options = {} if method == "surrogate" else {"feature": "hour"}
    with pytest.raises(CannotExplainError, match="fewer than two"):
        explain(once("binary"), one, method, **options)


@pytest.mark.parametrize("name", ["hist binary", "forest"])
def test_two_features_as_sklearn_does(name):
    estimator, model, matrix = forest(name)
    found = pdp(model, columns_of(matrix), feature="a", grid=GRID.tolist(), beside="c")
    assert found.beside_grid == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    more = {} if name == "forest" else {"response_method": "predict_proba"}
    theirs = partial_dependence(
        estimator, matrix, [0, 2], custom_values={0: GRID, 2: np.arange(6.0)}, method="brute",
        **more,
    )  # fmt: skip
    assert np.array(found.surface) == pytest.approx(theirs.average[-1], abs=1e-9)
    assert found.fidelity[-1].measure == "interplay"
    assert found.fidelity[-1].value > 0.1  # the target is a product


def test_two_features_that_add_up_have_no_interplay():
    matrix = matrix_of()
    model = by_formula(lambda a, b, c, d: a + c**2, matrix)
    found = pdp(model, columns_of(matrix), feature="a", beside="c")
    assert found.fidelity[-1].value == pytest.approx(0, abs=1e-12)
    with pytest.raises(InvalidRowError, match="is the first one"):
        pdp(model, columns_of(matrix), feature="a", beside="a")
    with pytest.raises(InvalidRowError, match="no such feature"):
        pdp(model, columns_of(matrix), feature="a", beside="z")
    with pytest.raises(InvalidRowError, match="Leave by out"):
        pdp(model, columns_of(matrix), feature="a", beside="c", by="trees")


def test_lines_are_counted():
    with pytest.raises(InvalidRowError, match="lines is no whole number"):
        ice(once("binary"), ROWS, feature="hour", lines=0)


def test_recursion_needs_trees():
    with pytest.raises(CannotExplainError, match="no sum of trees"):
        pdp(once("binary", compiled=False), ROWS, feature="hour", by="trees")
    with pytest.raises(InvalidRowError, match="neither rows nor trees"):
        pdp(once("binary"), ROWS, feature="hour", by="leaves")
