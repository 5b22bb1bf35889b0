from __future__ import annotations

import numpy as np
import pytest
from explained_models import explainable, flights
from formula_models import contract, formula, number, numbers


def test_medians_and_deviations_are_numpys():
    seen = explainable("binary").seen
    columns, _ = flights(200, seed=7)
    for j, name in ((1, "distance"), (2, "temp"), (3, "hour")):
        values = np.array([np.nan if v is None else v for v in columns[name]], dtype=float)
        assert seen.centre[j] == pytest.approx(np.nanmedian(values))
        off = np.nanmedian(np.abs(values - np.nanmedian(values)))
        assert seen.spread[j] == pytest.approx(off)
    assert seen.spread[[0, 4]].tolist() == [1.0, 1.0]
    assert seen.numeric.tolist() == [False, True, True, True, False]
    assert seen.whole.tolist() == [False, False, False, True, False]
    assert seen.varies.all()


def test_whole_numbers_are_cut_at_whole_numbers():
    edges = explainable("binary").seen.edges(3, tuple(k / 100 for k in range(1, 100)))
    assert (edges == np.rint(edges)).all()
    assert edges[-1] < 23


def test_spread_where_most_values_are_the_same():
    features = contract(number("a"), number("b"), number("c", nullable=True))
    background = {"a": [0.0] * 90 + [9.0] * 10, "b": [1.0] * 100, "c": [None] * 100}
    seen = formula(lambda rows: rows[:, 0], features, background).seen
    assert seen.spread.tolist() == pytest.approx([0.9, 1.0, 1.0])
    assert seen.varies.tolist() == [True, False, False]
    assert seen.codes[:, 2].tolist() == [-1] * 100


def test_it_is_found_once():
    model = formula(lambda rows: rows[:, 0], contract(number("a")), numbers(20, "a"))
    assert model.seen is model.seen
    assert model.seen.known(0) is model.seen.known(0)
