from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.config.settings import ProjectSettings
from gleis.contracts.errors import DataError
from gleis.contracts.prediction import Batch, Label
from gleis.data.production.cursor import Cursor, read_cursor, write_cursor
from gleis.data.production.gather import gather_answers
from gleis.store.log.sqlite_log import SqlitePredictionLog

START = datetime(2013, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROJECT = ProjectSettings(
    name="p", module="p", task="binary", target="late", id="flight", time="departs"
)
TYPES = {"flight": "Int64", "temp": "Float64", "late": "Int64"}


@pytest.fixture
def log(tmp_path):
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    yield log
    log.close()


def hours(n):
    return START + n * HOUR


def answer(log, at, *, flights=(1,), departs=None, temp=10.0, **more):
    batch = Batch(
        at=at,
        version=more.pop("version", 2),
        digest="d" * 64,
        fallback=more.pop("fallback", False),
        rows=len(flights),
        features={"temp": [temp] * len(flights)},
        scores=[0.5] * len(flights),
        entities=[str(flight) for flight in flights],
        times=[departs or at] * len(flights),
        flags={},
        **more,
    )
    return log.append([batch])[0]


def label(log, prediction_id, value, at):
    log.label([Label(value=value, prediction_id=prediction_id, at=at)], at)


def gather(log, now, before=None, matures=6, types=TYPES):
    return gather_answers(log, PROJECT, types, matures * HOUR, before, now)


def test_rows_as_they_were_answered(log):
    (first,) = answer(log, hours(0), flights=(7,), departs=hours(2))
    label(log, first, 1, hours(5))
    found = gather(log, hours(9))
    assert found.rows.to_dicts() == [
        {
            "prediction_id": first,
            "temp": 10.0,
            "answered_at": hours(0),
            "route": "champion",
            "model_version": 2,
            "label_known_at": hours(5),
            "late": 1,
            "weight": 1.0,
            "departs": hours(2),
            "flight": 7,
        }
    ]
    assert found.note == "1 of 1 answers have a label (100%)"


def test_a_quick_label_waits_for_the_slow_ones(log):
    quick, slow = answer(log, hours(0), flights=(1, 2))
    label(log, quick, 1, hours(1))
    assert gather(log, hours(5)).rows.is_empty()
    label(log, slow, 0, hours(6))
    assert gather(log, hours(6)).rows["late"].to_list() == [1, 0]


def test_the_label_that_came_in_time_counts(log):
    one, two, three = answer(log, hours(0), flights=(1, 2, 3))
    label(log, one, 0, hours(1))
    label(log, one, 1, hours(3))
    label(log, one, 0, hours(7))
    label(log, two, 1, hours(8))
    found = gather(log, hours(10))
    assert found.rows["late"].to_list() == [1]
    assert found.rows["label_known_at"].to_list() == [hours(3)]
    assert (found.answers, found.late, found.rows["weight"].to_list()) == (3, 1, [3.0])
    assert found.note.endswith("1 labels came too late (monitor.matures)")
    assert three not in found.rows["prediction_id"]


def test_routes_with_fewer_labels_weigh_more(log):
    ours = answer(log, hours(0), flights=range(90), share=0.9)
    theirs = answer(log, hours(0), flights=range(90, 100), version=3, role="challenger", share=0.1)
    for name in ours[:30]:
        label(log, name, 1, hours(1))
    for name in theirs:
        label(log, name, 0, hours(1))
    rows = gather(log, hours(9)).rows
    weights = rows.group_by("route").agg(pl.col("weight").unique()).sort("route")
    assert weights.rows() == [("challenger", [1.0]), ("champion", [3.0])]
    assert rows["weight"].sum() == 100


def test_a_route_without_labels_is_stood_for_by_the_other(log):
    ours = answer(log, hours(0), flights=range(80), share=0.8)
    answer(log, hours(0), flights=range(80, 100), version=3, role="challenger", share=0.2)
    for name in ours:
        label(log, name, 1, hours(1))
    rows = gather(log, hours(9)).rows
    assert rows["weight"].sum() == pytest.approx(100)


def test_fallback_answers_are_a_route_of_their_own(log):
    (name,) = answer(log, hours(0), fallback=True)
    label(log, name, 1, hours(1))
    assert gather(log, hours(9)).rows["route"].to_list() == ["fallback"]


def test_without_a_dataset_of_its_own_types_come_from_the_answers(log):
    (name,) = answer(log, hours(0), temp=None)
    label(log, name, "yes", hours(1))
    rows = gather(log, hours(9), types={}).rows
    assert rows.schema["temp"] == pl.String
    assert rows["late"].to_list() == ["yes"]


def test_a_value_that_the_dataset_cannot_hold(log):
    (name,) = answer(log, hours(0), temp="warm")
    label(log, name, 1, hours(1))
    with pytest.raises(DataError, match=r"temp was answered with values .* \['warm'\]"):
        gather(log, hours(9))


def test_nothing_yet(log):
    assert gather(log, hours(9)).rows.is_empty()
    answer(log, hours(0))
    found = gather(log, hours(9))
    assert (found.rows.height, found.answers) == (0, 1)
    again = gather(log, hours(9), before=found.cursor)
    assert (again.answers, again.cursor) == (0, found.cursor)


def test_an_event_far_ahead_waits_and_a_mistaken_one_does_not(log):
    (ahead,) = answer(log, hours(0), departs=hours(24 * 30))
    (strange,) = answer(log, hours(0), departs=hours(24 * 9999))
    for name in (ahead, strange):
        label(log, name, 1, hours(2))
    first = gather(log, hours(9))
    assert first.rows["prediction_id"].to_list() == [strange]
    second = gather(log, hours(24 * 31), before=read_cursor(write_cursor(first.cursor)))
    assert second.rows["prediction_id"].to_list() == [ahead]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_the_schedule_every_answer_counts_once(tmp_path_factory, data):
    log = SqlitePredictionLog(tmp_path_factory.mktemp("log") / "predictions.db", durable=False)
    moments = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=25).map(sorted))
    events = []
    for flight, moment in enumerate(moments):
        lead = data.draw(st.integers(-5, 30))
        (name,) = answer(log, hours(moment), flights=(flight,), departs=hours(moment + lead))
        events.append((moment + data.draw(st.integers(0, 20)), name))
    looks = data.draw(st.lists(st.integers(0, 90), max_size=6).map(sorted))
    found, before, given_until = [], None, -1
    for now in [*looks, 90]:
        for moment, name in sorted(events):
            if given_until < moment <= now:
                label(log, name, 1, hours(moment))
        given_until = max(given_until, now)
        one = gather(log, hours(now), before)
        before = one.cursor
        found += [] if one.rows.is_empty() else one.rows["prediction_id"].to_list()
    whole = gather(log, hours(90)).rows
    expected = [] if whole.is_empty() else whole["prediction_id"].to_list()
    log.close()
    assert sorted(found) == sorted(expected)
    assert len(found) == len(set(found))


def test_a_cursor_of_something_else_is_said():
    with pytest.raises(Exception, match="does not say how far the prediction log was read"):
        read_cursor("{}")
    assert read_cursor(write_cursor(Cursor(cut=START, low=START))).low == START


@pytest.mark.parametrize("every", [6, 24, 24 * 20])
def test_a_small_route_weighs_as_much_whatever_the_schedule(log, every):
    """20 days, 8 champion answers in 6 hours, every second labelled; 1 challenger, every fifth."""
    for at in range(80):
        now, base = hours(6 * at), 10 * at
        ours = answer(log, now, flights=range(base, base + 8), share=0.9)
        theirs = answer(log, now, flights=(base + 9,), version=3, role="challenger", share=0.1)
        for name in (*ours[::2], *(theirs if at % 5 == 0 else ())):
            label(log, name, 1, now + HOUR)
    found, before = [], None
    for now in range(every, 24 * 20 + 7, every):
        one = gather(log, hours(now + 6), before)
        before = read_cursor(write_cursor(one.cursor))
        found += [one.rows] if one.rows.height else []
    weights = dict(pl.concat(found).group_by("route").agg(pl.col("weight").sum()).iter_rows())
    left = before.unlabelled.answers
    assert weights["champion"] == 640
    assert weights["challenger"] + left.get("challenger of v3", 0) == 80
    assert left.get("challenger of v3", 0) <= 5
