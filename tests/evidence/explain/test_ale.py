from __future__ import annotations

import numpy as np
import pytest
from known_models import ROWS, by_formula, columns_of, matrix_of, once

from gleis.contracts.errors import CannotExplainError
from gleis.evidence.explain.ale import Steps, accumulate, ale

MATRIX = matrix_of(1000)


def plainly(predict, values, ends, rest):
    """The definition, interval by interval and row by row."""
    total, curve, counts = 0.0, [0.0], []
    for j in range(1, len(ends)):
        low = values >= ends[0] if j == 1 else values > ends[j - 1]
        inside = np.flatnonzero(low & (values <= ends[j]))
        rises = [predict(ends[j], rest[i]) - predict(ends[j - 1], rest[i]) for i in inside]
        total += np.mean(rises)
        curve.append(total)
        counts.append(len(inside))
    curve = np.array(curve)
    return curve - np.average((curve[1:] + curve[:-1]) / 2, weights=counts)


def test_as_the_definition_says():
    model = by_formula(lambda a, b, c, d: np.sin(2 * a) * b + a, MATRIX)
    found = ale(model, columns_of(MATRIX), feature="a", grid=15)
    expected = plainly(
        lambda a, row: np.sin(2 * a) * row[1] + a, MATRIX[:, 0], np.array(found.grid), MATRIX
    )
    assert found.values == pytest.approx(expected, abs=1e-12)


def test_a_linear_effect_is_a_line_whatever_it_goes_together_with():
    model = by_formula(lambda a, b, c, d: 3 * a - 2 * b, MATRIX)
    found = ale(model, columns_of(MATRIX), feature="a")
    rise = np.diff(found.values) / np.diff(found.grid)
    assert rise == pytest.approx(3.0, abs=1e-9)
    assert np.array(found.high) - np.array(found.low) == pytest.approx(0, abs=1e-6)


def test_an_additive_effect_is_its_function():
    model = by_formula(lambda a, b, c, d: np.exp(a) + 5 * b, MATRIX)
    found = ale(model, columns_of(MATRIX), feature="a")
    curve = np.exp(np.array(found.grid))
    assert np.array(found.values) - found.values[0] == pytest.approx(curve - curve[0], abs=1e-9)


def test_categories_of_an_additive_model_have_their_own_effects():
    worth = np.array([4.0, -1.0, 2.5, 0.0, 7.0, 1.0])
    model = by_formula(lambda a, b, c, d: worth[np.asarray(c, int)] + a, MATRIX)
    contract = model.contract
    assert contract.features[2].kind == "number"
    whole = ale(model, columns_of(MATRIX), feature="c", grid=20)
    assert whole.grid == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    assert np.diff(whole.values) == pytest.approx(np.diff(worth), abs=1e-9)


def test_categories_are_ordered_and_weighed_by_their_rows():
    found = ale(once("regression"), ROWS, feature="carrier")
    assert set(found.grid) == {"AA", "B6", "UA"}
    assert np.average(found.values, weights=found.counts) == pytest.approx(0, abs=1e-12)
    assert max(found.values) == found.values[found.grid.index("UA")]
    assert "order" in found.notes[-1]


def test_rows_without_the_feature_are_left_out_and_it_is_said():
    found = ale(by_formula(lambda a, b, c, d: a, MATRIX), columns_of(MATRIX), feature="d")
    assert found.rows == np.isfinite(MATRIX[:, 3]).sum()
    assert "rows without d were left out" in found.notes[0]
    assert None not in found.grid


def test_the_interval_covers_the_truth_as_often_as_it_says():
    ends = np.linspace(-1, 1, 6)
    truth = 0.5 * (ends[1] - ends[0]) * np.arange(6)
    truth -= truth.mean()
    draw, covered = np.random.default_rng(0), []
    for _ in range(400):
        step = np.repeat(np.arange(5), 40)
        rise = 0.5 * (ends[1] - ends[0]) + draw.normal(0, 1, len(step))
        values, half = accumulate(Steps(step, rise), np.full(6, 1 / 6))
        covered.append(abs(values[0] - truth[0]) <= half[0])
    assert 0.91 <= np.mean(covered) <= 0.98


def test_a_grid_that_no_row_lies_in():
    model = by_formula(lambda a, b, c, d: a, MATRIX)
    with pytest.raises(CannotExplainError, match="No row has a within"):
        ale(model, columns_of(MATRIX), feature="a", grid=[50.0, 60.0])
    with pytest.raises(CannotExplainError, match="Fewer than two"):
        ale(once("binary").knowing({"carrier": ["ZZ"]}), ROWS, feature="carrier", grid=["ZZ", "UA"])
