"""Believed shares: against exact integrals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from gleis.monitoring.comparison import Arm
from gleis.monitoring.thompson import probability_better, share_to_play


def arm(rows, mean, spread=0.0):
    return Arm(rows=rows, total=rows * mean, squares=rows * (mean**2 + spread**2))


@given(st.integers(20, 3000), st.floats(0.02, 0.98), st.integers(20, 3000), st.floats(-0.05, 0.05))
def test_beta_posteriors_are_compared_as_the_integral_says(n0, p0, n1, change):
    p1 = min(max(p0 + change, 0.01), 0.99)
    ours = stats.beta(n0 * p0 + 1, n0 * (1 - p0) + 1)
    theirs = stats.beta(n1 * p1 + 1, n1 * (1 - p1) + 1)
    mean, deviation = theirs.mean(), theirs.std()
    low, high = max(mean - 10 * deviation, 0.0), min(mean + 10 * deviation, 1.0)
    exact, _ = integrate.quad(lambda x: theirs.pdf(x) * ours.cdf(x), low, high, limit=200)
    found = probability_better(arm(n0, p0), arm(n1, p1), higher=True, bounds=(0.0, 1.0))
    assert found == pytest.approx(exact, abs=2e-3)


def test_normal_posteriors():
    champion, challenger = arm(400, 1.0, 1.0), arm(100, 1.1, 2.0)
    exact = stats.norm.cdf(0.1 / (1 / 399 + 4 / 99) ** 0.5)
    found = probability_better(champion, challenger, higher=True, bounds=None)
    assert found == pytest.approx(exact, abs=1e-6)
    lower = probability_better(champion, challenger, higher=False, bounds=None)
    assert lower == pytest.approx(1 - exact, abs=1e-6)


def test_nothing_is_believed_before_both_have_rows():
    assert probability_better(arm(19, 0.1), arm(900, 0.9), higher=True, bounds=(0, 1)) == 0.5


def test_neither_is_left_without_rows():
    assert share_to_play(1.0, 0.05) == 0.95
    assert share_to_play(0.0, 0.05) == 0.05
