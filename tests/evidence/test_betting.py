"""The bet on a mean: it alarms falsely at most at its rate, and finds what is there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.betting import MeanBet


def refuted(values, claimed, alpha):
    bet = MeanBet(claimed=claimed)
    for value in values:
        bet.update(value)
    return bet.rejects(alpha)


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), max_size=30), st.floats(0.05, 0.95))
def test_the_next_bet_is_fair_under_the_claim(values, claimed):
    """Whatever came before, a coin of mean ``claimed`` leaves the capital as it is on average."""
    bet = MeanBet(claimed=claimed)
    for value in values:
        bet.update(value)
    assert bet.capital >= 0.0
    after = []
    for value in (0.0, 1.0):
        other = MeanBet(**{name: getattr(bet, name) for name in bet.__struct_fields__})
        other.update(value)
        after.append(other.capital)
    mean = (1.0 - claimed) * after[0] + claimed * after[1]
    assert abs(mean - bet.capital) <= 1e-9 * max(bet.capital, 1.0)


def test_quiet_streams_looked_at_after_every_value():
    draw = np.random.default_rng(0)
    false = sum(refuted(draw.random(1000) < 0.3, 0.3, 0.05) for _ in range(300))
    assert false <= 0.05 * 300


def test_values_that_depend_on_each_other_are_covered_too():
    """Failures in bursts: only the conditional mean is claimed, nothing about independence."""
    draw, false = np.random.default_rng(1), 0
    for _ in range(200):
        burst = np.repeat(draw.random(100) < 0.5, 1)
        false += refuted(burst * 0.6, 0.3, 0.05)
    assert false <= 0.05 * 200


def test_a_larger_mean_is_found():
    draw = np.random.default_rng(2)
    assert all(refuted(draw.random(500) < 0.5, 0.3, 0.01) for _ in range(50))


def test_evidence_once_reached_counts():
    bet = MeanBet(claimed=0.5)
    for value in [1.0] * 30 + [0.0] * 300:
        bet.update(value)
    assert bet.capital < 1.0
    assert bet.rejects(0.01)
