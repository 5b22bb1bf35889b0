from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.mitigation.thresholds import cuts_of, shift

UNIT = st.floats(0, 1)


@given(st.lists(UNIT, min_size=1, max_size=30), UNIT)
def test_over_the_threshold_is_over_a_half_and_order_stays(scores, threshold):
    ordered = np.sort(np.array(scores))
    moved = shift(ordered, np.full(ordered.size, threshold))
    assert ((moved > 0.5) == (ordered > threshold)).all()
    assert (np.diff(moved) >= 0).all()
    assert ((moved >= 0) & (moved <= 1)).all()


def test_half_is_where_it_was():
    scores = np.linspace(0, 1, 11)
    np.testing.assert_allclose(shift(scores, np.full(11, 0.5)), scores, atol=1e-15)


def test_cuts_count_what_is_over():
    cuts = cuts_of(np.array([0.2, 0.6, 0.6, 0.9]), np.array([0, 1, 0, 1]))
    assert cuts.selected.tolist() == [1.0, 0.75, 0.25, 0.0]
    assert cuts.true.tolist() == [1.0, 1.0, 0.5, 0.0]
    assert cuts.false.tolist() == [1.0, 0.5, 0.0, 0.0]
