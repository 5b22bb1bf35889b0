from __future__ import annotations

import numpy as np
import pytest

from gleis.evidence.explain.category_order import order_categories

DRAW = np.random.default_rng(0)


def rows(shifts, count=400):
    """Return a category whose rows have another number, shifted by category."""
    codes = np.repeat(np.arange(len(shifts)), count).astype(float)
    return codes, codes * 0 + np.array(shifts)[codes.astype(int)] + DRAW.normal(size=len(codes))


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_neighbours_have_similar_rows(missing):
    codes, number = rows([0.0, 3.0, 1.0, 4.0, 2.0])
    number = np.where(DRAW.random(len(number)) < missing, np.nan, number)
    found = order_categories(
        np.column_stack([codes, number]), 0, np.arange(5.0), ("category", "number")
    )
    assert found.tolist() == [0.0, 2.0, 4.0, 1.0, 3.0]


def test_shares_of_another_category_count_too():
    codes = np.repeat([0.0, 1.0, 2.0], 600)
    other = np.concatenate(
        [DRAW.choice(3, 600, p=p) for p in ([0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.5, 0.1, 0.4])]
    )
    matrix = np.column_stack([codes, other])
    found = order_categories(matrix, 0, np.arange(3.0), ("category", "category"))
    assert found.tolist() == [0.0, 2.0, 1.0]


def test_only_what_is_asked_is_ordered():
    codes, number = rows([0.0, 3.0, 1.0])
    matrix = np.column_stack([codes, number])
    found = order_categories(matrix, 0, np.array([1.0, 0.0]), ("category", "number"))
    assert sorted(found.tolist()) == [0.0, 1.0]
