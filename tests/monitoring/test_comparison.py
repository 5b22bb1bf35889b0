"""Two versions compared: false alarms on quiet streams, power, shares that change, pairs."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.monitoring.comparison import Comparison

STREAMS, ROWS, MIN_ROWS = 200, 8000, 500
ALPHA = 0.05


def stream(seed, share, *, better=0.0, rows=ROWS):
    """Return (loss, challenger, shares) of a binary task; better lowers the challenger's loss."""
    draw = np.random.default_rng(seed)
    chance = draw.beta(2, 5, rows)
    happened = draw.random(rows) < chance
    guess = np.clip(chance + draw.normal(0, 0.05, rows), 0.001, 0.999)
    loss = -np.log(np.where(happened, guess, 1 - guess))
    challenger = draw.random(rows) < share
    return loss - better * challenger, challenger, np.full(rows, share)


def decisions(seed, share, bounds=None, *, every=1, **change):
    """Return (first row with a gain for sure, first row with a loss for sure); None if never."""
    values, challenger, shares = stream(seed, share, **change)
    if bounds is not None:
        values = np.clip(values, *bounds)
    comparison = Comparison(
        higher=False, least=min(share, 1 - share), bounds=bounds, best_at=5 * MIN_ROWS / share
    )
    better = worse = None
    for row in range(0, len(values), every):
        new = slice(row, row + every)
        comparison.update(values[new], challenger[new], shares[new])
        if min(comparison.challenger.rows, comparison.champion.rows) < MIN_ROWS:
            continue
        better = row if better is None and comparison.low(ALPHA) > 0 else better
        worse = row if worse is None and comparison.high(ALPHA) < 0 else worse
    return better, worse


@given(
    st.lists(
        st.tuples(st.floats(-5, 5), st.booleans(), st.sampled_from([0.1, 0.5, 0.8])),
        min_size=1,
        max_size=50,
    ),
    st.data(),
)
def test_seen_in_parts_is_seen_at_once(rows, data):
    values, challenger, shares = (np.array(column) for column in zip(*rows, strict=True))
    cut = data.draw(st.integers(0, len(rows)))
    whole, parts = Comparison(higher=True, least=0.1), Comparison(higher=True, least=0.1)
    whole.update(values, challenger, shares)
    parts.update(values[:cut], challenger[:cut], shares[:cut])
    parts.update(values[cut:], challenger[cut:], shares[cut:])
    assert parts.gain == pytest.approx(whole.gain)
    assert parts.low(0.05) == pytest.approx(whole.low(0.05))
    assert parts.challenger.rows == whole.challenger.rows


def test_higher_and_lower_are_mirror_images():
    values, challenger, shares = stream(0, 0.5, better=0.1)
    lower, higher = Comparison(higher=False, least=0.5), Comparison(higher=True, least=0.5)
    lower.update(values, challenger, shares)
    higher.update(values, challenger, shares)
    assert lower.gain == pytest.approx(-higher.gain)
    assert lower.low(0.05) == pytest.approx(-higher.high(0.05))
    assert lower.gain == pytest.approx(0.1, abs=0.05)


def test_shares_that_follow_the_world_do_not_deceive():
    """Rows grow harder while the challenger's share grows: its plain mean looks far worse."""
    draw = np.random.default_rng(4)
    rows = 20_000
    shares = np.where(np.arange(rows) < rows // 2, 0.1, 0.9)
    challenger = draw.random(rows) < shares
    loss = np.where(np.arange(rows) < rows // 2, 0.2, 1.0) + draw.normal(0, 0.1, rows)
    loss -= 0.02 * challenger
    comparison = Comparison(higher=False, least=0.1)
    comparison.update(loss, challenger, shares)
    assert comparison.challenger.mean - comparison.champion.mean > 0.5
    assert comparison.low(0.05) < 0.02 < comparison.high(0.05)
    assert comparison.gain == pytest.approx(0.02, abs=0.02)
    assert comparison.challenger.weighted_mean == pytest.approx(0.58, abs=0.05)
    assert comparison.champion.weighted_mean == pytest.approx(0.60, abs=0.05)


def test_rows_that_were_not_drawn_are_passed_over():
    comparison = Comparison(higher=False, least=0.1)
    comparison.update(np.ones(3), np.array([False, True, True]), np.array([0.0, 0.5, 1.0]))
    assert (comparison.skipped, comparison.challenger.rows, comparison.champion.rows) == (2, 1, 0)


def test_the_state_goes_on_exactly():
    values, challenger, shares = stream(5, 0.5)
    first = Comparison(higher=False, least=0.5)
    first.update(values[:100], challenger[:100], shares[:100])
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=Comparison)
    for one in (first, again):
        one.update(values[100:], challenger[100:], shares[100:])
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(first)


def test_pairs_need_far_fewer_rows():
    draw = np.random.default_rng(6)
    champion = draw.exponential(size=2000)
    comparison = Comparison(higher=False, least=0.5, paired=True)
    comparison.update_pairs(champion, champion - 0.02 + draw.normal(0, 0.05, 2000))
    assert 0 < comparison.low(0.05) < 0.02 < comparison.high(0.05)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("share", "rows", "every"), [(0.05, 30_000, 10), (0.5, 4000, 1)])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_quiet_streams_looked_at_all_the_time(share, rows, every, bounds):
    """Promotions and rollbacks of an equal challenger: each at most the stated rate."""
    found = [decisions(seed, share, bounds, rows=rows, every=every) for seed in range(STREAMS)]
    assert sum(better is not None for better, _ in found) <= ALPHA * STREAMS
    assert sum(worse is not None for _, worse in found) <= ALPHA * STREAMS


def test_some_quiet_streams_looked_at_after_every_row():
    found = [decisions(1000 + seed, 0.5, rows=2000) for seed in range(40)]
    assert sum(better is not None for better, _ in found) <= 4
    assert sum(worse is not None for _, worse in found) <= 4


def test_a_better_and_a_worse_challenger_are_found():
    for seed in range(5):
        better, worse = decisions(seed, 0.5, better=0.1, rows=8000)
        assert better is not None
        assert worse is None
        better, worse = decisions(seed, 0.5, better=-0.1, rows=8000)
        assert better is None
        assert worse is not None
