from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_models import matrix_of
from sklearn.tree import DecisionTreeRegressor

from gleis.evidence.explain.small_tree import grow

MATRIX = matrix_of(600)
Y = np.sin(3 * MATRIX[:, 0]) + MATRIX[:, 2] ** 2 / 9 + np.nan_to_num(MATRIX[:, 3])


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [3, 4])
def test_as_sklearns_tree(depth, width):
    """With missing values, too. Columns are rounded to float32, as it does."""
    matrix = MATRIX[:, :width].astype(np.float32).astype(float)
    theirs = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=5, random_state=0)
    theirs.fit(matrix, Y)
    mine = grow(matrix, Y, categories=[False] * width, depth=depth, min_leaf=5)
    assert mine.predict(matrix) == pytest.approx(theirs.predict(matrix), abs=1e-9)
    assert len(list(mine.leaves())) == theirs.get_n_leaves()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9)), min_size=2, max_size=25))
@settings(max_examples=60, deadline=None)
def test_a_category_is_split_as_well_as_by_any_two_sets(rows):
    codes, y = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    tree = grow(codes[:, None], y, categories=[True], depth=1)
    best = ((y - y.mean()) ** 2).sum()
    for size in range(1, 5):
        for chosen in itertools.combinations(range(5), size):
            side = np.isin(codes, chosen)
            if 0 < side.sum() < len(y):
                parts = (y[side], y[~side])
                best = min(best, sum(((p - p.mean()) ** 2).sum() for p in parts))
    assert ((y - tree.predict(codes[:, None])) ** 2).sum() == pytest.approx(best, abs=1e-7)


def test_missing_alone_may_be_the_question():
    x = np.array([[1.0], [2.0], [np.nan], [np.nan]])
    tree = grow(x, np.array([0.0, 0.0, 7.0, 7.0]), categories=[False], depth=2)
    assert tree.predict(np.array([[99.0], [np.nan]])).tolist() == [0.0, 7.0]


def test_leaves_are_not_smaller_than_asked_and_nothing_to_split_is_a_leaf():
    tree = grow(MATRIX, Y, categories=[False] * 4, depth=4, min_leaf=50)
    assert min(rows for _, _, rows in tree.leaves()) >= 50
    assert grow(MATRIX, np.ones(600), categories=[False] * 4, depth=4).split is None
    assert len(list(tree.cut(1).leaves())) == 2
