from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.errors import ConfigError
from gleis.monitoring.promise import make_promise, start_trial

START = datetime(2013, 4, 1, tzinfo=UTC)


@given(
    st.sampled_from(["1 per year", "0.02 per day", "3 per month"]),
    st.lists(st.integers(0, 400), max_size=60),
)
def test_no_period_hands_out_more_than_promised(text, waits):
    promise, handed, now = make_promise(text, START), {}, START
    for days in waits:
        now += timedelta(days=days)
        promise, alpha = promise.draw(now)
        assert 0 < alpha <= 0.05
        assert promise.since <= now
        handed[promise.since] = handed.get(promise.since, 0.0) + alpha
    assert all(total < float(text.split()[0]) for total in handed.values())


def test_a_new_period_is_a_new_account():
    promise = make_promise("1 per year", START)
    for _ in range(40):
        promise, alpha = promise.draw(START)
    assert alpha < 0.001
    promise, alpha = promise.draw(START + timedelta(days=800))
    assert (alpha, promise.since) == (0.05, START + timedelta(days=730))


def test_trial_and_words():
    trial = start_trial(make_promise("1 per year", START), START)
    assert trial.threshold == pytest.approx(1.30103)
    assert make_promise(" 2 per month ", START).words == "at most 2 false alarms per month"


def test_a_promise_is_a_rate():
    with pytest.raises(ConfigError, match="now and then"):
        make_promise("now and then", START)


def test_after_very_many_alarms_there_is_still_a_test():
    promise, total = make_promise("1 per year", START), 0.0
    for _ in range(500):
        promise, alpha = promise.draw(START)
        assert alpha > 0
        total += alpha
    assert total <= 1 + 1e-6
