"""Whether an estimated loss has surely risen, looked at week after week."""

from datetime import timedelta

import numpy as np
import pytest

from evidence.estimation.rows import BINARY, binary
from gleis.contracts.alarm import Alarm
from gleis.evidence.estimation.change import Rise, expected_rise
from gleis.evidence.estimation.estimate import sum_rows
from gleis.evidence.estimation.learn import learn_estimation
from gleis.monitoring.risen import start_risen
from monitoring.matches import START

WEEK = timedelta(days=7)


def alarm(at=START):
    return Alarm(
        id="estimate",
        kind="estimate",
        at=at,
        subject="loss",
        also=(),
        evidence=3.0,
        threshold=2.0,
        promise="",
        effect=0.1,
        since=None,
        rows=9,
        version=1,
        message="",
    )


def rise(value, spread=1e-6):
    return Rise(value=value, chance=spread, days=0.0, freedom=6, rows=500.0)


def test_it_tells_at_the_next_look_once_and_again_after_it_was_normal():
    risen, told = start_risen("1 per year", START).test(rise(0.1), 0.01, alarm()), []
    for week, value in enumerate((0.1, 0.1, 0.0, 0.1, 0.1), 1):
        now = START + week * WEEK
        risen, found = risen.tell(now, known=False)
        told += [one.at for one in found]
        risen = risen.test(rise(value), 0.01, alarm(now))
    assert told == [START + WEEK, START + 5 * WEEK]


def test_what_is_known_otherwise_is_not_told_and_costs_nothing():
    start = start_risen("1 per year", START)
    risen, found = start.test(rise(0.1), 0.01, alarm()).tell(START, known=True)
    assert found == []
    assert risen.told
    assert risen.trial == start.trial


def test_an_alarm_starts_a_new_trial_on_the_account_and_looks_share_one():
    start = start_risen("1 per year", START)
    second = start.test(rise(0.0), 0.01, alarm())
    assert second.level == pytest.approx(start.level / 4)
    risen, _ = second.test(rise(0.1), 0.01, alarm()).tell(START, known=False)
    assert risen.looks == 0
    assert risen.trial.promise.left < start.trial.promise.left
    other = start_risen("2 per year", START, risen)
    assert other.trial.promise.left == pytest.approx(1.95)


def test_a_quiet_half_year_alarms_no_more_often_than_promised_though_days_differ():
    rng, alarmed, streams = np.random.default_rng(0), 0, 40

    def day():
        return binary(rng, 100, 2 * np.exp(rng.normal(0, 0.15)), 5)

    for _ in range(streams):
        parts = [day() for _ in range(14)]
        scores, y = (np.concatenate(each) for each in zip(*parts, strict=True))
        days = np.repeat(np.arange(14), 100)
        learned = learn_estimation(y, scores, {}, BINARY, days).estimation
        risen = start_risen("1 per year", START)
        for _ in range(26):
            week = [sum_rows(day()[0], {}, learned) for _ in range(7)]
            risen = risen.test(expected_rise(week, learned), 0.0, alarm())
        alarmed += risen.found is not None
    # At 0.05 more than 6 of 40 are seen once in 250.
    assert alarmed <= 6
