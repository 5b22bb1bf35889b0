"""Bounds that hold at every moment: against scipy, and on many streams looked at all the time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from gleis.monitoring import confidence_sequence
from gleis.monitoring.confidence_sequence import (
    MeanSequence,
    normal_mixture_boundary,
    stitched_boundary,
)

STREAMS, ROWS = 400, 2000


def misses(sequences, truth, alpha, since=1):
    """Return the share of streams (n_streams, n_rows) whose bound passes the truth, ever."""
    above = below = 0
    for values, make in sequences:
        sequence, high, low = make(), False, False
        for count, value in enumerate(values, 1):
            sequence.update(np.array([value]))
            if count >= since:
                high = high or sequence.lower(alpha) > truth
                low = low or sequence.upper(alpha) < truth
        above, below = above + high, below + low
    return above / len(sequences), below / len(sequences)


@given(st.floats(0.1, 1e6), st.floats(1e-4, 0.4), st.floats(1.0, 1e5))
def test_the_normal_boundary_is_one_of_the_half_normal_mixture(count, alpha, best_at):
    """At the boundary the mixture martingale has reached 1 / alpha, as Ville's inequality asks."""
    level = -2.0 * math.log(2.0 * alpha)
    rho = best_at / (level + math.log(1.0 + level))
    z = normal_mixture_boundary(count, alpha, best_at) / math.sqrt(count + rho)
    mixture = math.log(2.0) + 0.5 * math.log(rho / (count + rho)) + z * z / 2.0
    mixture += stats.norm.logcdf(z)
    assert mixture >= -math.log(alpha) - 1e-9


def test_zeta_of_the_stitched_boundary():
    assert special.zeta(confidence_sequence._POWER) == pytest.approx(confidence_sequence._ZETA)


@given(st.floats(1.0, 1e6), st.floats(1e-4, 0.4))
def test_the_stitched_boundary_pays_for_every_epoch(variance, alpha):
    """In each epoch it lies above the sub-gamma line whose share of alpha that epoch has."""
    scale, since = 1.0, 1.0
    epoch = math.floor(math.log2(variance / since))
    share = alpha / (special.zeta(1.4) * (epoch + 1.0) ** 1.4)
    size = math.log(1.0 / share)
    start = since * 2.0**epoch
    best = math.sqrt(2.0 * size / (start * math.sqrt(2.0)))  # tuned to the middle of the epoch
    tilt = best / (1.0 + scale * best)
    line = size / tilt + variance * tilt / (2.0 * (1.0 - scale * tilt))
    assert stitched_boundary(variance, alpha, scale, since) >= line * (1.0 - 1e-9)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60), st.data())
def test_seen_in_parts_is_seen_at_once(values, data):
    cut = data.draw(st.integers(0, len(values)))
    for bounds in ((0.0, 1.0), (None, None)):
        whole = MeanSequence(low=bounds[0], high=bounds[1])
        parts = MeanSequence(low=bounds[0], high=bounds[1])
        whole.update(np.array(values))
        parts.update(np.array(values[:cut]))
        parts.update(np.array(values[cut:]))
        assert parts.count == whole.count
        assert parts.variance == pytest.approx(whole.variance)
        assert parts.lower(0.05) == pytest.approx(whole.lower(0.05))


def test_before_the_first_value_everything_is_possible():
    sequence = MeanSequence(low=0.0, high=1.0)
    assert math.isnan(sequence.mean)
    assert (sequence.lower(0.05), sequence.upper(0.05)) == (-math.inf, math.inf)


@pytest.mark.parametrize("chance", [0.02, pytest.param(0.5, marks=pytest.mark.slow)])
def test_bounded_values_are_covered_from_the_first_on(chance):
    draw = np.random.default_rng(1)
    streams = [
        ((draw.random(ROWS) < chance).astype(float), lambda: MeanSequence(low=0.0, high=1.0))
        for _ in range(STREAMS // 2)
    ]
    above, below = misses(streams, chance, 0.05)
    assert above <= 0.05
    assert below <= 0.05


@pytest.mark.parametrize("kind", [pytest.param("normal", marks=pytest.mark.slow), "exponential"])
def test_unbounded_values_are_covered_from_500_on(kind):
    draw = np.random.default_rng(2)
    streams = [
        (getattr(draw, kind)(size=ROWS), lambda: MeanSequence(best_at=2500))
        for _ in range(STREAMS // 2)
    ]
    truth = 0.0 if kind == "normal" else 1.0
    above, below = misses(streams, truth, 0.05, since=500)
    assert above <= 0.05
    assert below <= 0.05


def test_means_may_change_while_their_average_is_bounded():
    """The bounded sequence is about the average of the means so far, however they move."""
    draw = np.random.default_rng(3)
    means = np.where(np.arange(4000) < 2000, 0.2, 0.8)
    sequence = MeanSequence(low=0.0, high=1.0)
    sequence.update((draw.random(4000) < means).astype(float))
    assert sequence.lower(0.01) < 0.5 < sequence.upper(0.01)
    assert sequence.upper(0.01) - sequence.lower(0.01) < 0.15
