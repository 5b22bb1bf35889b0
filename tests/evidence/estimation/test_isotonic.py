import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from gleis.evidence.estimation.isotonic import fit_steps, step_shares

rows = st.lists(
    st.tuples(st.integers(0, 40).map(lambda n: n / 40), st.integers(0, 1)), min_size=1, max_size=80
)


@given(rows)
def test_steps_are_those_of_scikit_learn(drawn):
    scores, truth = (np.array(part, dtype=float) for part in zip(*drawn, strict=True))
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, truth).predict(scores)
    assert step_shares(fit_steps(scores, truth, held=0), scores) == pytest.approx(theirs, abs=1e-9)


@given(rows)
def test_steps_never_fall_and_keep_the_share(drawn):
    scores, truth = (np.array(part, dtype=float) for part in zip(*drawn, strict=True))
    steps = fit_steps(scores, truth, held=0)
    assert (np.diff(steps.shares) > 0).all()
    assert step_shares(steps, scores).mean() == pytest.approx(truth.mean())


def test_many_scores_are_bunched_and_stay_near():
    rng = np.random.default_rng(0)
    scores = rng.random(60_000)
    truth = rng.binomial(1, scores)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, truth).predict(scores)
    ours = step_shares(fit_steps(scores, truth, held=0), scores)
    assert np.abs(ours - theirs).mean() < 1e-3
    assert ours.mean() == pytest.approx(truth.mean())


def test_short_steps_are_held_by_the_line_and_long_ones_are_not():
    rng = np.random.default_rng(1)
    scores = rng.beta(2, 5, 1_000)
    truth = rng.binomial(1, scores)
    free, held = (fit_steps(scores, truth, held=h) for h in (0.0, 20.0))
    assert free.shares[-1] == 1.0
    assert held.shares[-1] < 0.95
    assert (np.diff(held.shares) > 0).all()
    scores = rng.beta(2, 5, 200_000)
    truth = rng.binomial(1, scores)
    free, held = (step_shares(fit_steps(scores, truth, held=h), scores) for h in (0.0, 20.0))
    assert np.abs(free - held).mean() < 1e-3
