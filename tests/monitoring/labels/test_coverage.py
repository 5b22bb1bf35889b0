from datetime import timedelta

import msgspec
import numpy as np
import pytest

from gleis.contracts.contract import Contract
from gleis.contracts.errors import StoreError
from gleis.monitoring.labels.coverage import Coverage
from gleis.monitoring.labels.maturity import DAY, HOUR, Maturity
from monitoring.matches import START, logged, match

CONTRACT = Contract(task="binary", features=(), target="late", classes=("0", "1"))
MATURITY = Maturity(matures=6 * HOUR, window=3 * DAY)
A_DAY = timedelta(days=1)


def make():
    return Coverage(MATURITY, CONTRACT)


def answers(seq, rows, day=0.0, **more):
    return logged(seq, {}, [0.5] * rows, at=START + day * A_DAY, **more)


def labels(first, rows, day=0.0, late=timedelta(hours=6), **more):
    at = START + day * A_DAY
    found = [match(f"{first + i}", 0.5, i % 2, at=at, **more) for i in range(rows)]
    times = [at + timedelta(minutes=i) for i in range(rows)]
    return [
        msgspec.structs.replace(one, event_time=time, label_at=time + late)
        for one, time in zip(found, times, strict=True)
    ]


def test_only_mature_answers_count():
    coverage = make()
    coverage.see([answers(1, 50), answers(2, 50, day=1)], labels(0, 40), START)
    assert coverage.share(START + timedelta(hours=6)) is None
    assert coverage.share(START + timedelta(hours=7)) == 0.8
    assert coverage.share(START + timedelta(days=1, hours=7)) == 0.4
    assert coverage.share(START + timedelta(days=3, hours=6)) == 0.4, "still in the window"
    assert coverage.share(START + timedelta(days=3, hours=7)) == 0.0, "the first day has left it"


def test_labels_may_come_in_any_order_and_before_others():
    whole, parts = make(), make()
    given = [*labels(0, 30), *labels(30, 20, day=1)]
    batches = [answers(1, 50), answers(2, 50, day=1)]
    now = START + 2 * A_DAY
    whole.see(batches, given, now)
    parts.see(batches, [], now)
    for i in np.random.default_rng(0).permutation(50):
        parts.see([], [given[i]], now)
    assert parts.to_bytes() == whole.to_bytes()
    seen = whole.summary(now)
    assert (seen["mature"], seen["mature_labelled"], seen["coverage"]) == (100, 50, 0.5)
    assert seen["coverage_by_day"] == {"2013-04-01": 0.6}


def test_routes_are_told_apart_and_bounded():
    coverage = make()
    theirs = [
        msgspec.structs.replace(
            answers(2, 10), batch=msgspec.structs.replace(answers(2, 10).batch, **how)
        )
        for how in ({"role": "challenger", "share": 0.1, "version": 4}, {"fallback": True})
    ]
    known = [
        *labels(0, 20),
        *[
            msgspec.structs.replace(one, role="challenger", share=0.1, version=4)
            for one in labels(50, 4)
        ],
    ]
    coverage.see([answers(1, 20), *theirs], known, START)
    seen = coverage.summary(START + timedelta(hours=7))
    assert seen["coverage_by_route"] == {
        "v3 champion": 1.0,
        "v3 champion fallback": 0.0,
        "v4 challenger at 10%": 0.4,
    }
    for version in range(10, 60):
        coverage.see([answers(version, 1, day=version, version=version)], [], START)
    assert len(coverage.state.routes) == 12
    assert len(coverage.to_bytes()) < 20_000


def test_the_state_stays_small_over_years():
    coverage = make()
    for day in range(0, 1000, 2):
        coverage.see([answers(day, 24 * 60, day=day)], labels(0, 5, day=day), START + day * A_DAY)
    assert len(coverage.state.whole.answered) <= MATURITY.kept
    assert len(coverage.to_bytes()) < 20_000


def test_delays_contradictions_and_labels_nobody_can_use():
    coverage = make()
    again = [
        msgspec.structs.replace(match("0", 0.5, value, again=True), former=former)
        for value, former in ((1, 0), ("1", True), ("perhaps", 0), (0, "maybe"))
    ]
    odd = [
        *labels(0, 90, late=timedelta(hours=2)),
        *labels(90, 8, late=timedelta(hours=30)),
        *labels(98, 1, late=timedelta(hours=-3)),
        *labels(99, 1, late=timedelta(days=400)),
        match("x", 0.5, "perhaps"),
    ]
    coverage.see([answers(1, 120)], [*odd, *again], START + 2 * A_DAY)
    seen = coverage.summary(START + 2 * A_DAY)
    assert seen["delay"]["median"] == "120 min" or seen["delay"]["median"].startswith("2.0")
    assert coverage.delay(0.95) == pytest.approx(30 * HOUR, rel=0.03)
    assert (seen["labelled_again"], seen["contradictory"]) == (4, 1)
    assert seen["contradictions"] == "0 0 -> 1"
    assert seen["unusable"] == 2
    assert seen["unusable_values"] == "'perhaps'"
    assert (seen["before_their_event"], seen["dated_in_the_future"]) == (1, 1)


def test_labels_of_answers_from_before_the_count_are_left_out():
    coverage = make()
    coverage.see([answers(1, 10, day=5)], labels(0, 10, day=1), START + 6 * A_DAY)
    seen = coverage.summary(START + 6 * A_DAY)
    assert (seen["coverage"], seen["of_answers_not_counted"]) == (0.0, 10)


def run_days(coverage, days, silent=(), labelled=0.9, start=0):
    found = []
    for day in range(start, start + days):
        now = START + (day + 1) * A_DAY
        known = [] if day in silent else labels(day * 100, int(90 * labelled), day=day)
        coverage.see([answers(day + 1, 90, day=day)], known, now)
        found += coverage.judge(now, 0.05, 0.0)
    return found


def test_a_day_is_judged_when_it_is_mature():
    coverage = make()
    assert run_days(coverage, 8, silent={7}) == []
    assert coverage.judge(START + timedelta(days=8, hours=5), 0.05, 0.0) == []
    (found,) = coverage.judge(START + timedelta(days=8, hours=6), 0.05, 0.0)
    assert found.words == (
        "no label came for the 90 answers of 8 April 2013 (usually 90% have one by now): is the "
        "label source down?"
    )


def test_after_a_silence_labels_have_time_to_catch_up():
    """Everything was off for ten days: labels come soon after, not before."""
    coverage = make()
    run_days(coverage, 8, silent={7})
    later = START + 18 * A_DAY
    coverage.see([answers(99, 90, day=18)], [], later)
    assert coverage.judge(later, 0.05, 0.0) == []
    caught_up = [*labels(700, 81, day=7), *labels(1800, 81, day=18)]
    coverage.see([], caught_up, later + timedelta(hours=1))
    assert coverage.judge(later + timedelta(hours=8), 0.05, 0.0) == []
    assert run_days(coverage, 5, start=19) == []


@pytest.mark.parametrize("jump", [-400, -2, 30, 4000])
def test_a_clock_that_jumps_and_comes_back_raises_no_alarm(jump):
    coverage = make()
    run_days(coverage, 8)
    wrong = START + (8 + jump) * A_DAY
    coverage.see([answers(50, 5, day=8 + jump)], labels(0, 3, day=8 + jump), wrong)
    assert coverage.judge(wrong, 0.05, 0.0) == []
    assert run_days(coverage, 8, start=8) == []
    assert run_days(coverage, 3, start=16, silent={16})[0].answered == 90


def test_state_goes_on_exactly_and_damage_is_named():
    coverage = make()
    run_days(coverage, 5)
    again = Coverage(MATURITY, CONTRACT, coverage.to_bytes())
    assert run_days(again, 4, silent={6}, start=5) == run_days(coverage, 4, silent={6}, start=5)
    assert again.to_bytes() == coverage.to_bytes()
    with pytest.raises(StoreError, match="damaged"):
        Coverage(MATURITY, CONTRACT, b"no")
