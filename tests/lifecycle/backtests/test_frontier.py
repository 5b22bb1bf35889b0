from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from gleis.lifecycle.backtests.choice import choice_notes, weigh
from gleis.lifecycle.backtests.frontier import best_before, best_in, difference, find_frontier
from gleis.lifecycle.results import Backtest, Part, PolicyResult, Week

START = datetime(2013, 4, 1, tzinfo=UTC)


def result(name, loss, retrainings=0, weekly=(), rows=100, metric="log_loss", parts=()):
    return PolicyResult(
        policy=name,
        figures={metric: loss} if loss is not None else {},
        rows=rows * len(weekly),
        weeks=tuple(
            Week(start=START + timedelta(weeks=n), rows=rows, figures={metric: value})
            for n, value in enumerate(weekly)
        ),
        retrainings=retrainings,
        promotions=(),
        alarms=(),
        decisions=(),
        seconds=1.0,
        parts=tuple(
            Part(since=START, until=START, rows=9, figures={metric: value}, retrainings=1)
            for value in parts
        ),
    )


def backtest(*results, **facts):
    return Backtest(
        id="b",
        project="p",
        since=START,
        until=START + timedelta(weeks=8),
        step="1d",
        metrics=("log_loss",),
        policies=results,
        best={"log_loss": best_in(results, "log_loss").policy},
        frontier=find_frontier(results, "log_loss"),
        **facts,
    )


def test_who_is_beaten_in_both_is_not_on_the_frontier():
    results = [
        result("monthly", 0.51, 9),
        result("never", 0.52, 0),
        result("project", 0.50, 3),
        result("as the project", 0.50, 3),
        result("worse", 0.51, 4),
        result("unknown", None, 0),
    ]
    assert find_frontier(results, "log_loss") == ("never", "project", "as the project")


def test_where_more_is_better():
    results = [result("a", 0.9, 1, metric="roc_auc"), result("b", 0.8, 1, metric="roc_auc")]
    assert find_frontier(results, "roc_auc") == ("a",)
    assert best_in(results, "roc_auc").policy == "a"


def test_the_interval_is_that_of_the_paired_weeks():
    """Against scipy's bootstrap of the weekly gaps: weeks of equal size."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0.5, 0.1, 30)
    ours, theirs = shared + rng.normal(0.01, 0.02, 30), shared
    found = difference(result("a", 0, weekly=ours), result("b", 0, weekly=theirs), "log_loss")
    gaps = ours - theirs
    oracle = stats.bootstrap(
        (gaps,), np.mean, method="percentile", n_resamples=9999, rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.value == pytest.approx(gaps.mean())
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=6e-4)


def test_weeks_of_root_mean_squared_errors_are_put_together_as_squares():
    found = difference(
        result("a", 0, weekly=[3.0, 4.0, 3.0, 4.0], metric="rmse"),
        result("b", 0, weekly=[1.0] * 4, metric="rmse"),
        "rmse",
    )
    assert found.value == pytest.approx(np.sqrt(12.5) - 1)


def test_what_weeks_cannot_be_put_together_from_has_no_interval():
    one = result("a", 0, weekly=[0.5] * 9, metric="roc_auc")
    assert difference(one, one, "roc_auc") is None
    assert difference(*[result("a", 0, weekly=[0.5] * 3)] * 2, "log_loss") is None  # type: ignore[call-arg]


def test_the_choice_is_made_before_the_split_and_judged_after_it():
    results = [
        result("lucky", 0.50, parts=(0.40, 0.60)),
        result("steady", 0.51, parts=(0.45, 0.55)),
    ]
    assert best_before(results, "log_loss").policy == "lucky"
    split = START + timedelta(weeks=4)
    note = choice_notes(backtest(*results, split=split, chosen="lucky"))[-1]
    assert note == (
        "before 2013-04-29 “lucky” did best: log_loss 0.4000; after it, where it was not chosen, "
        "0.6000, place 2 of 2 (“steady” 0.5500)"
    )


def test_what_a_choice_weighs():
    never = result("never", 0.52, 0, weekly=[0.52] * 8)
    own = result("project", 0.50, 3, weekly=[0.50] * 8)
    found = backtest(own, never)
    first, second = weigh(found)
    assert (first.result, second.result) == (never, own)
    assert first.gap_words == "+0.0200 (+0.0200 to +0.0200)"
    assert second.gap is None
    assert first.frontier
    assert second.frontier
    assert any("the best of 2 policies" in note for note in choice_notes(found))
