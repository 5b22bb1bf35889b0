from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.data.features.point_in_time import find_known, newest_known, next_change

START = datetime(2013, 1, 1, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
NAMES = {"entity": ["s"], "event": "event", "known": "known"}


def moments(hours):
    return pl.Series([None if h is None else START + timedelta(hours=h) for h in hours], dtype=TIME)


def source(rows):
    stations, events, known = zip(*rows, strict=True) if rows else ((), (), ())
    return pl.DataFrame(
        {
            "s": pl.Series(stations, dtype=pl.String),
            "event": moments(events),
            "known": moments(known),
        }
    )


def brute_force(station, hour, rows, ttl):
    """The definition, read out: newest event among what was known, then known last, then last."""
    if station is None or hour is None:
        return None
    usable = [
        (event, known, position)
        for position, (s, event, known) in enumerate(rows)
        if s == station and None not in {event, known} and event <= hour and known <= hour
    ]
    if not usable:
        return None
    event, _, position = max(usable)
    return position if ttl is None or hour - event <= ttl else None


# Few stations and hours, so that ties, corrections and late rows are the rule.
hour = st.one_of(st.none(), st.integers(0, 12))
station = st.sampled_from(["A", "B", None])
histories = st.lists(st.tuples(station, hour, hour), max_size=25)


@settings(max_examples=150, deadline=None)
@given(histories, st.lists(st.tuples(station, hour), max_size=10), st.one_of(st.none(), hour))
def test_both_times_against_the_definition(rows, asked, ttl):
    frame = pl.DataFrame(
        {
            "s": pl.Series([s for s, _ in asked], dtype=pl.String),
            "at": moments([h for _, h in asked]),
        }
    )
    age = None if ttl is None else timedelta(hours=ttl)
    found = find_known(frame, source(rows), time="at", ttl=age, **NAMES)
    assert found.to_list() == [brute_force(s, h, rows, ttl) for s, h in asked]


@settings(max_examples=100, deadline=None)
@given(histories, st.integers(0, 12))
def test_the_newest_of_each_entity_is_what_a_join_finds(rows, hour):
    frame, at = source(rows), START + timedelta(hours=hour)
    positions = frame.with_row_index("at").with_columns(at=pl.col("at").cast(pl.Int64))
    newest = newest_known(positions, at, **NAMES)
    expected = {brute_force(s, hour, rows, None) for s in ("A", "B")} - {None}
    assert newest["at"].to_list() == sorted(expected)


def test_one_time_against_duckdb():
    rng = np.random.default_rng(0)
    n, m = 5_000, 2_000
    rows = pl.DataFrame(
        {
            "s": rng.integers(0, 50, n),
            # Times repeat nowhere: DuckDB does not say which of equals it takes.
            "event": pl.Series(rng.permutation(n * 2)[:n]).cast(pl.Datetime("us")),
            "x": rng.normal(size=n),
        }
    )
    asked = pl.DataFrame(
        {
            "q": np.arange(m),
            "s": rng.integers(0, 60, m),
            "at": pl.Series(rng.integers(0, n * 2, m)).cast(pl.Datetime("us")),
        }
    )
    theirs = duckdb.sql(
        "SELECT x FROM asked ASOF LEFT JOIN rows ON asked.s = rows.s AND asked.at >= rows.event "
        "ORDER BY q"
    ).pl()["x"]
    found = find_known(asked, rows, entity=["s"], time="at", event="event", known="event")
    assert rows["x"].gather(found).equals(theirs)
    assert 0 < found.null_count() < m


def test_a_backfill_is_not_used_before_it_was_known():
    rows = source([("A", 1, 1), ("A", 2, 9), ("A", 1, 5)])
    asked = pl.DataFrame({"s": ["A"] * 5, "at": moments([1, 4, 5, 8, 9])})
    assert find_known(asked, rows, time="at", **NAMES).to_list() == [0, 0, 2, 2, 1]


def test_a_row_that_is_too_old_does_not_let_an_older_one_in():
    rows = source([("A", 1, 1), ("A", 2, 2)])
    asked = pl.DataFrame({"s": ["A"] * 2, "at": moments([4, 5])})
    age = timedelta(hours=2)
    assert find_known(asked, rows, time="at", ttl=age, **NAMES).to_list() == [1, None]


def test_several_columns_may_name_an_entity():
    rows = pl.DataFrame({"s": ["A", "A"], "n": [1, 2], "event": moments([1, 1])})
    asked = pl.DataFrame({"s": ["A", "A", "B"], "n": [2, 1, 1], "at": moments([3, 3, 3])})
    times = {"time": "at", "event": "event", "known": "event"}
    assert find_known(asked, rows, entity=["s", "n"], **times).to_list() == [1, 0, None]


def test_the_next_moment_at_which_something_changes():
    rows = source([("A", 1, 4), ("A", 6, 2)])
    times = {"event": "event", "known": "known"}
    assert next_change(rows, START, **times) == START + timedelta(hours=4)
    assert next_change(rows, START + timedelta(hours=4), **times) == START + timedelta(hours=6)
    assert next_change(rows, START + timedelta(hours=6), **times) is None
