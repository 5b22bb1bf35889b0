from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gleis.evidence.mitigation.frontier import pareto

COSTS = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 5)
)


@given(COSTS)
def test_it_is_what_pairwise_comparison_says(costs):
    def beats(a, b):
        return (a <= b).all() and (a < b).any()

    expected = [not any(beats(a, b) for a in costs) for b in costs]
    assert pareto(costs).tolist() == expected


def test_what_is_not_known_is_not_on_it_and_beats_nothing():
    costs = np.array([[np.nan, 0.0], [1.0, 1.0]])
    assert pareto(costs).tolist() == [False, True]
