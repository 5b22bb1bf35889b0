from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.explain.diverse import choose_diverse

COSTS = st.lists(st.floats(0.1, 10), min_size=2, max_size=7)


@given(COSTS, st.integers(0, 99), st.integers(1, 5))
def test_each_raises_the_determinant_most(costs, seed, count):
    costs = np.array(costs)
    points = np.random.default_rng(seed).normal(size=(len(costs), 2))
    apart = np.abs(points[:, None] - points[None]).sum(axis=2)
    quality = costs.min() / costs
    kernel = quality[:, None] * quality / (1 + apart)
    chosen = choose_diverse(costs, apart, count)
    assert len(chosen) == len({*chosen}) == min(count, len(costs))
    assert costs[chosen[0]] == costs.min()
    for k in range(1, len(chosen)):
        dets = [
            np.linalg.det(kernel[np.ix_([*chosen[:k], j], [*chosen[:k], j])])
            for j in range(len(costs))
        ]
        best = max(det for j, det in enumerate(dets) if j not in chosen[:k])
        assert dets[chosen[k]] == pytest.approx(best, rel=1e-6, abs=1e-12)


def test_copies_are_left_out():
    apart = np.zeros((4, 4))
    apart[3, :3] = apart[:3, 3] = 2.0
    assert choose_diverse(np.ones(4), apart, 4) == [0, 3]


def test_cheap_ones_that_are_apart_win_over_all_pairs():
    costs = np.array([1.0, 1.0, 1.2, 3.0])
    apart = np.array([[0, 0.2, 2, 5], [0.2, 0, 2, 5], [2, 2, 0, 5], [5, 5, 5, 0]], dtype=float)
    quality = costs.min() / costs
    kernel = quality[:, None] * quality / (1 + apart)
    best = max(combinations(range(4), 2), key=lambda s: np.linalg.det(kernel[np.ix_(s, s)]))
    assert tuple(sorted(choose_diverse(costs, apart, 2))) == best
