from __future__ import annotations

import numpy as np
from known_models import by_formula, matrix_of

from gleis.evidence.explain.extrapolation import outside
from gleis.evidence.explain.grids import grid_of

MATRIX = matrix_of(2000)
MODEL = by_formula(lambda a, b, c, d: a, MATRIX)


def test_independent_features_stay_inside_and_correlated_ones_do_not():
    shares = outside(MATRIX, grid_of(MODEL, MATRIX, "a"))
    assert shares[0] == 0.0
    assert 0.2 < shares[1] < 0.9
    assert shares[2:].max() < 0.03


def test_the_share_is_what_counting_by_hand_gives():
    draw = np.random.default_rng(0)
    kind = draw.integers(0, 2, 2000).astype(float)
    size = kind * 10 + draw.random(2000)
    matrix = np.column_stack([kind, size])
    model = by_formula(lambda a, b: b, matrix)
    # A row of the other kind, half of all, has a size that this kind never has.
    assert abs(outside(matrix, grid_of(model, matrix, "a"))[1] - 0.5) < 0.02


def test_missing_values_are_values_of_the_grid_and_few_rows_say_nothing():
    grid = grid_of(MODEL, MATRIX, "d")
    assert np.isnan(grid.numbers[-1])
    assert outside(MATRIX, grid).max() < 0.05
    assert outside(MATRIX[:15], grid).max() == 0.0
