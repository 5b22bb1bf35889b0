"""What evidence calls for, strategy by strategy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gleis.contracts.deployment import Version
from gleis.contracts.release import Release, Rules
from gleis.lifecycle.release_decision import judge
from gleis.monitoring.comparison import Comparison

NOON = datetime(2024, 2, 21, 12, tzinfo=UTC)


def version(number):
    return Version(
        number=number, digest="d", location="p", run="r", registered_at=NOON, passed=True
    )


def release(strategy="ab", **rules):
    return Release(
        id="a",
        strategy=strategy,
        champion=version(1),
        beside="first",
        challenger=version(2),
        share=0.5,
        least=0.5,
        rules=Rules(**{"min_rows": 200, "margin": 0.1, **rules}),
        at=NOON,
        reason="why",
        by="test",
    )


def compared(gain, rows=4000, spread=0.1, seed=0):
    """Return a comparison by loss in which the challenger gains ``gain``."""
    draw = np.random.default_rng(seed)
    challenger = draw.random(rows) < 0.5
    loss = 1.0 + draw.normal(0, spread, rows) - gain * challenger
    comparison = Comparison(higher=False, least=0.5)
    comparison.update(loss, challenger, np.full(rows, 0.5))
    return comparison


def action(one, comparison, scores=None, hours=1.0):
    scores = scores or {}
    deviations = dict.fromkeys(scores, 1.0)
    return judge(one, comparison, scores, deviations, NOON + timedelta(hours=hours)).action


@pytest.mark.parametrize("strategy", ["shadow", "canary", "ab", "bandit"])
def test_surely_better_and_surely_worse(strategy):
    assert action(release(strategy), compared(0.2)) == "promote"
    assert action(release(strategy), compared(-0.2)) == "roll back"


def test_as_good_is_enough_for_a_canary_only():
    assert action(release("canary"), compared(0.0)) == "promote"
    assert action(release("ab"), compared(0.0)) == "end"


def test_too_few_rows_decide_nothing():
    assert action(release(), compared(0.5, rows=100)) == "wait"
    assert action(release("canary", min_rows=5000), compared(0.5)) == "wait"


def test_a_noisy_difference_waits():
    assert action(release(), compared(0.05, rows=600, spread=2.0)) == "wait"


def test_a_loss_that_is_not_watched_rolls_nothing_back():
    assert action(release("canary", watch=("errors",)), compared(-0.2)) == "wait"
    assert action(release("ab", watch=("errors",)), compared(-0.2)) == "end"


def test_time_over():
    quiet = compared(0.05, rows=600, spread=2.0)
    assert action(release(horizon=3600.0), quiet, hours=0.9) == "wait"
    assert action(release(horizon=3600.0), quiet, hours=1.0) == "end"
    assert action(release(horizon=3600.0), Comparison(higher=False, least=0.5)) == "end"


@pytest.mark.parametrize("sign", [1, -1])
def test_scores_that_lie_elsewhere_need_no_label(sign):
    none = Comparison(higher=False, least=0.5)
    shifted = {"score": compared(sign * 0.9)}
    near = {"score": compared(sign * 0.2)}
    watching = release("canary", watch=("score_shift",))
    assert action(watching, none, shifted) == "roll back"
    assert action(watching, none, near) == "wait"
    assert action(release("canary"), none, shifted) == "wait", "not watched: only shown"
