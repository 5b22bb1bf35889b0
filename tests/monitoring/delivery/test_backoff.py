from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alarms_made import NIGHT
from gleis.monitoring.delivery.backoff import is_due, is_over, pause_after

DAYS = timedelta(days=3)


@given(st.integers(1, 10_000), st.text(max_size=20), st.integers(0, 9))
def test_a_pause_is_bounded_repeatable_and_at_least_half_of_what_it_may_be(attempts, key, seed):
    pause = pause_after(attempts, key, seed)
    longest = min(30.0 * 2.0 ** min(attempts - 1, 20), 3600.0)
    assert longest / 2 <= pause <= longest
    assert pause == pause_after(attempts, key, seed)


def test_many_that_fail_together_do_not_come_again_together():
    pauses = {round(pause_after(5, f"alarm {n}", 0)) for n in range(100)}
    assert len(pauses) > 60


@given(st.integers(0, 300), st.integers(-10_000_000, 10_000_000))
def test_no_jump_of_the_clock_gives_up_early_or_never(attempts, seconds):
    over = is_over(attempts, NIGHT, NIGHT + timedelta(seconds=seconds), DAYS)
    if attempts < 12:
        assert not over
    if attempts >= 200:
        assert over
    if 12 <= attempts < 200:
        assert over == (seconds >= DAYS.total_seconds())


def test_due_when_the_pause_is_over():
    assert is_due(None, 0.0, NIGHT)
    assert not is_due(NIGHT, 30.0, NIGHT + timedelta(seconds=29))
    assert is_due(NIGHT, 30.0, NIGHT + timedelta(seconds=30))
