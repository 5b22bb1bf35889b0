import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, spearmanr

from gleis.monitoring.ranks import missing_block, rank_online


def by_hand(codes, uniforms, seen_codes):
    """The definition, value by value."""
    seen, ranks = list(seen_codes), []
    for code, u in zip(codes, uniforms, strict=True):
        below = sum(s < code for s in seen)
        same = sum(s == code for s in seen)
        ranks.append((below + u * (same + 1)) / (len(seen) + 1))
        seen.append(code)
    return ranks


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    st.lists(st.integers(0, 4), max_size=40),
    st.integers(0, 2**32),
)
def test_ranks_follow_their_definition(codes, seen, seed):
    uniforms = np.random.default_rng(seed).random(len(codes))
    before = np.cumsum(np.bincount(seen, minlength=5)) if seen else np.zeros(5, dtype=int)
    ranks, after = rank_online(np.array(codes), uniforms, before)
    assert ranks == pytest.approx(by_hand(codes, uniforms, seen), abs=1e-12)
    assert after[-1].tolist() == np.cumsum(np.bincount(seen + codes, minlength=5)).tolist()
    assert after.shape == (len(codes) + 1, 5)


@pytest.mark.parametrize("reference_rows", [0, 3, 40, 1000])
def test_ranks_are_independent_and_uniform_when_nothing_changed(reference_rows):
    """Ties, a rare code and a tiny reference; pooled over streams, because one proves little."""
    first, last, joint = [], [], []
    for seed in range(2000):
        rng = np.random.default_rng([reference_rows, seed])
        codes = rng.choice(4, p=[0.02, 0.6, 0.08, 0.3], size=reference_rows + 10)
        seen = np.cumsum(np.bincount(codes[:reference_rows], minlength=4))
        ranks, _ = rank_online(codes[reference_rows:], rng.random(10), seen)
        first.append(ranks[0])
        last.append(ranks[-1])
        joint.append(ranks[-2])
    assert kstest(first, "uniform").pvalue > 1e-4
    assert kstest(last, "uniform").pvalue > 1e-4
    assert spearmanr(last, joint).pvalue > 1e-4


def test_a_fixed_reference_would_not_do():
    """Without the new rows among the ranked, a small reference's luck shows as drift."""
    wrong = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        seen = np.bincount(rng.integers(0, 4, 40), minlength=4)
        codes, u = rng.integers(0, 4, 400), rng.random(400)
        below = np.concatenate(([0], np.cumsum(seen)))[codes]
        wrong.append(kstest((below + u * seen[codes]) / 40, "uniform").pvalue)
    assert np.mean(np.array(wrong) < 0.01) > 0.3


def test_a_block_as_before_has_no_more_missing_than_the_rank_below_which_they_were():
    rng = np.random.default_rng(0)
    gained = []
    for _ in range(400):
        rows = rng.random(2_000) < 0.05
        seen = np.array([rows[:1_900].sum(), 1_900])
        block = np.array([rows[1_900:].sum(), (~rows[1_900:]).sum()])
        rank, share = missing_block(block, seen)
        gained.append(share - rank)
    error = np.std(gained) / np.sqrt(400)
    assert np.mean(gained) <= 2 * error
    assert np.mean(gained) >= -4 * error


def test_a_block_without_missing_values_has_none_below():
    assert missing_block(np.array([0, 10]), np.array([5, 100]))[1] == 0.0
