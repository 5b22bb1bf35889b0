from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from gleis.evidence.explain.best_arms import best_arms, divergence, reaches

SHARES = np.array([0.2, 0.9, 0.5, 0.85, 0.1, 0.6])


def draws(seed):
    draw = np.random.default_rng(seed)
    return lambda arms, count: draw.binomial(count, SHARES[arms])


def test_it_finds_the_best_and_draws_most_where_it_is_unsure():
    wrong = 0
    for seed in range(40):
        found = best_arms(draws(seed), 6, 2, tolerance=0.1, error=0.1, batch=20, rounds=500)
        wrong += {*np.argsort(found.means)[-2:].tolist()} != {1, 3}
        assert found.draws[[0, 4]].max() < found.draws[[3, 5]].max()
    assert wrong == 0


def test_as_many_as_there_are_need_no_search():
    found = best_arms(draws(0), 6, 6, tolerance=0.1, error=0.1, batch=20, rounds=500)
    assert found.draws.tolist() == [20.0] * 6


def test_it_stops_after_so_many_rounds():
    found = best_arms(draws(0), 6, 1, tolerance=0.0, error=0.1, batch=5, rounds=7)
    assert found.draws.sum() == 6 * 5 + 7 * 2 * 5


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_divergence_is_the_relative_entropy(p, q):
    found = divergence(np.array([p]), np.array([q]))
    assert found[0] == pytest.approx(entropy([p, 1 - p], [q, 1 - q]), abs=1e-9)


@given(st.floats(0, 1), st.floats(0, 3))
def test_a_bound_is_as_far_as_the_level_lets_it(p, level):
    for up in (True, False):
        bound = reaches(np.array([p]), np.array([level]), up=up)
        assert bound[0] >= p if up else bound[0] <= p
        inner = bound + (-1e-5 if up else 1e-5)
        if 0.0 < inner[0] < 1.0 and (inner[0] > p) == up:
            assert divergence(np.array([p]), inner)[0] <= level + 1e-6
