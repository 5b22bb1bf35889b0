from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms_made import an_alarm
from gleis.lifecycle.backtests.detection import find_detections, mean_age, stale_share

START = datetime(2013, 4, 1, tzinfo=UTC)
END = START + timedelta(days=100)


def day(n):
    return START + timedelta(days=n)


def alarm(at, **facts):
    return an_alarm(at, at=day(at), **({"since": None} | facts))


def test_the_first_alarm_after_a_change_and_before_the_next_finds_it():
    alarms = [alarm(5), alarm(12), alarm(14), alarm(70, kind="performance")]
    found = find_detections([day(10), day(40), day(60)], alarms, END)
    assert [one.days for one in found] == [2, None, 10]
    assert [one.alarm for one in found] == [alarms[1].id, None, alarms[3].id]
    assert all(one.given for one in found)


@pytest.mark.parametrize("kind", ["labels", "fairness", "service"])
def test_alarms_that_say_nothing_of_the_world_find_no_change(kind):
    (found,) = find_detections([day(10)], [alarm(12, kind=kind)], END)
    assert found.at is None


def test_without_a_named_change_confirmed_alarms_name_their_own():
    alarms = [
        alarm(12, since=day(9), confirmed=True),
        alarm(20, since=day(3), confirmed=False),
        alarm(30, since=day(25)),
        alarm(40, confirmed=True),
    ]
    (found,) = find_detections([], alarms, END)
    assert (found.given, found.change, found.days) == (False, day(9), 3)


def test_age_grows_between_promotions():
    assert mean_age([(day(0), day(0))], START, END) == pytest.approx(50)
    assert mean_age([(day(0), day(-10))], START, END) == pytest.approx(60)
    # 50 days that end at an age of 50, and 50 days that begin at an age of 1.
    assert mean_age([(day(0), day(0)), (day(50), day(49))], START, END) == pytest.approx(25.5)
    assert mean_age([(day(0), None)], START, END) is None


def test_a_model_is_stale_until_one_that_knows_the_change_is_live():
    live = [(day(0), day(0)), (day(30), day(29))]
    assert stale_share(live, [day(10)], START, END) == pytest.approx(0.2)
    assert stale_share(live, [day(10), day(40)], START, END) == pytest.approx(0.8)
    assert stale_share(live, [day(29.5)], START, END) == pytest.approx(0.705)
    assert stale_share(live, [], START, END) is None
    assert stale_share(live[:1], [day(10)], START, END) == pytest.approx(0.9)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6, unique=True))
def test_who_trains_more_often_is_younger_and_less_stale(days):
    """A promotion more never makes the model older, nor staler."""
    live = [(day(0), day(0)), *((day(n), day(n)) for n in sorted(days) if n)]
    changes = [day(20.5), day(60.5)]
    for cut in range(1, len(live)):
        fewer = live[:cut]
        assert mean_age(live, START, END) <= mean_age(fewer, START, END) + 1e-9
        assert stale_share(live, changes, START, END) <= stale_share(fewer, changes, START, END)
