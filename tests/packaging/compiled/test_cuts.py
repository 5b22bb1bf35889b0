from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.packaging.compiled.cuts import _boundary, neighbours
from gleis.packaging.compiled.form import Linear
from gleis.packaging.compiled.plain import PlainKernel
from gleis.packaging.compiled.symbols import Number, Step, feature_arrays

FACTORS = st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3)


@given(FACTORS, FACTORS, st.booleans(), st.lists(st.floats(-1e3, 1e3), min_size=1))
def test_the_answer_changes_between_a_cut_and_its_neighbour(shift, factor, rounds, thresholds):
    steps = [Step("sub", shift), Step("div", factor), *([Step("float32")] if rounds else [])]
    arrays = feature_arrays([Number(0, tuple(steps))], ())
    kernel = PlainKernel(Linear(id="0", outputs=1), arrays, 1)
    values = np.unique(thresholds)
    cuts, crossed = _boundary(kernel, 0, None, values)
    assert crossed.all()
    below = kernel.column(0, cuts)[0] <= values
    above = kernel.column(0, np.nextafter(cuts, np.inf))[0] <= values
    assert (below != above).all()


def test_without_steps_a_cut_is_the_threshold():
    arrays = feature_arrays([Number(0)], ())
    kernel = PlainKernel(Linear(id="0", outputs=1), arrays, 1)
    values = np.array([-3.5, -0.0, 1e-300, 2.25])
    np.testing.assert_array_equal(_boundary(kernel, 0, None, values)[0], values)


@pytest.mark.parametrize(("cut", "expected"), [(2.5, [1, 2, 3]), (2.0, [1, 2, 3])])
def test_whole_numbers_have_whole_neighbours(cut, expected):
    np.testing.assert_array_equal(neighbours(np.array([cut]), integer=True), expected)


def test_numbers_have_both_floating_point_neighbours():
    found = neighbours(np.array([0.1]), integer=False)
    assert found.tolist() == [np.nextafter(0.1, 0), 0.1, np.nextafter(0.1, 1)]
