from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.config.quiet import QuietHours
from gleis.contracts.errors import ConfigError

MONDAY = datetime(2013, 4, 1, tzinfo=UTC)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(day, clock):
    hours, minutes = clock.split(":")
    return MONDAY + timedelta(days=DAYS.index(day), hours=int(hours), minutes=int(minutes))


@pytest.mark.parametrize(
    ("entries", "moment", "end"),
    [
        (["22:00-06:00"], at("mon", "21:59"), None),
        (["22:00-06:00"], at("mon", "22:00"), at("tue", "06:00")),
        (["22:00-06:00"], at("tue", "05:59"), at("tue", "06:00")),
        (["22:00-06:00"], at("tue", "06:00"), None),
        (["22:00-06:00"], at("sun", "23:00"), at("sun", "06:00") + timedelta(days=1)),
        (["sat-sun"], at("fri", "23:59"), None),
        (["sat-sun"], at("sat", "00:00"), MONDAY + timedelta(days=7)),
        (["sun-mon"], at("mon", "08:00"), at("tue", "00:00")),
        (["wed"], at("wed", "12:00"), at("thu", "00:00")),
        (["fri 18:00-24:00"], at("fri", "18:00"), at("sat", "00:00")),
        (["fri 18:00-24:00"], at("thu", "18:00"), None),
        (["Fri 22:00-06:00"], at("sat", "05:00"), at("sat", "06:00")),
        (["mon-fri 08:00-18:00"], at("fri", "17:00"), at("fri", "18:00")),
        (["mon-fri 08:00-18:00"], at("sat", "17:00"), None),
        (["22:00-06:00", "sat-sun"], at("fri", "23:00"), MONDAY + timedelta(days=7, hours=6)),
    ],
)
def test_quiet_until(entries, moment, end):
    assert QuietHours(entries).until(moment) == (end or moment)


def test_seconds_within_the_first_and_the_last_minute():
    quiet = QuietHours(["22:00-06:00"])
    assert quiet.until(at("mon", "22:00") - timedelta(microseconds=1)) < at("mon", "22:00")
    assert quiet.until(at("tue", "05:59") + timedelta(seconds=59.5)) == at("tue", "06:00")


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("25:00-26:00", "names no time of the day: 25:00"),
        ("22:60-23:00", "names no time of the day: 22:60"),
        ("22:00-24:01", "names no time of the day: 24:01"),
        ("08:00-08:00", "has no length"),
        ("24:00-06:00", "begins at the end of a day"),
        ("sam-son", "names no day of the week: sam"),
        ("sat sun", "is no stretch of time"),
        ("at night", "is no stretch of time"),
        ("22-6", "is no stretch of time"),
        ("", "is no stretch of time"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named(entry, what):
    with pytest.raises(ConfigError, match=what) as caught:
        QuietHours(["sat", entry])
    assert entry in str(caught.value.seen)
    assert caught.value.field == "triggers.quiet"


@pytest.mark.parametrize("entries", [["mon-sun"], ["00:00-12:00", "12:00-24:00"]])
def test_a_week_without_any_open_minute_is_refused(entries):
    with pytest.raises(ConfigError, match="leaves no minute"):
        QuietHours(entries)


clocks = st.integers(0, 1439).map(lambda m: f"{m // 60:02d}:{m % 60:02d}")
lengthy = st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1])
some_days = st.sampled_from([*DAYS, "sat-mon", "tue-thu"])


@settings(deadline=None)
@given(
    lengthy,
    st.lists(st.tuples(some_days, lengthy), max_size=2),  # too few to leave no minute
    st.integers(0, 14 * 86400).map(lambda s: MONDAY + timedelta(seconds=s)),
)
def test_the_end_is_open_and_nothing_before_it_is(daily, others, moment):
    written = ["-".join(daily), *(f"{day} {'-'.join(pair)}" for day, pair in others)]
    quiet = QuietHours(written)
    end = quiet.until(moment)
    assert quiet.until(end) == end
    minutes = int((end - moment).total_seconds() // 60)
    for n in range(minutes):
        assert quiet.until(moment + timedelta(minutes=n)) == end
