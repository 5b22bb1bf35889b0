from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.checks import RowCheck
from gleis.contracts.errors import DataError
from gleis.data.checking import one_pass
from gleis.data.checking.one_pass import check_rows_of

NUMBERS = st.none() | st.integers(-5, 5).map(float) | st.just(float("nan"))
TEXTS = st.none() | st.sampled_from(["", "a", "ab", "abc", "ba", "ÄÖ", "a\n"])


def holds(check, value):
    """The rule in plain Python, of one value that is not missing."""
    limit = check.value
    if isinstance(value, float) and np.isnan(value):  # larger than any number
        value = float("inf")
    return {
        "min": lambda: value >= limit,
        "above": lambda: value > limit,
        "max": lambda: value <= limit,
        "below": lambda: value < limit,
        "in": lambda: value in limit,
        "not_in": lambda: value not in limit,
        "equals": lambda: value == limit,
        "differs": lambda: value != limit,
        "whole": lambda: value == float("inf") or value == int(value),
        "starts": lambda: value.startswith(limit),
        "ends": lambda: value.endswith(limit),
        "contains": lambda: limit in value,
        "min_length": lambda: len(value) >= limit,
        "max_length": lambda: len(value) <= limit,
    }[check.rule]()


LIMITS = ("min", "above", "max", "below", "equals", "differs")
OF_NUMBERS = st.sampled_from(LIMITS).flatmap(
    lambda rule: st.builds(
        RowCheck,
        column=st.just("x"),
        rule=st.just(rule),
        value=st.integers(-6, 6),
        nulls=st.booleans(),
    )
) | st.builds(
    RowCheck,
    column=st.just("x"),
    rule=st.sampled_from(["in", "not_in"]),
    value=st.lists(st.integers(-5, 5), min_size=1).map(tuple),
    nulls=st.booleans(),
)
OF_TEXTS = (
    st.builds(
        RowCheck,
        column=st.just("t"),
        rule=st.sampled_from(["starts", "ends", "contains", "equals", "differs"]),
        value=st.sampled_from(["a", "b", "Ä"]),
        nulls=st.booleans(),
    )
    | st.builds(
        RowCheck,
        column=st.just("t"),
        rule=st.sampled_from(["min_length", "max_length"]),
        value=st.integers(0, 3),
    )
    | st.builds(
        RowCheck,
        column=st.just("t"),
        rule=st.sampled_from(["in", "not_in"]),
        value=st.lists(st.sampled_from("abcdefghijklm"), min_size=1, unique=True).map(tuple),
    )
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, TEXTS), min_size=1, max_size=8),
    st.lists(OF_NUMBERS | OF_TEXTS, min_size=1, max_size=4),
)
def test_rows_fail_as_the_rule_says_of_each_value(rows, checks):
    frame = pl.DataFrame(rows, schema={"x": pl.Float64, "t": pl.String}, orient="row")
    found = check_rows_of(frame, checks)
    expected = {
        at
        for at, row in enumerate(frame.rows(named=True))
        for check in checks
        if ((value := row[check.column]) is None and check.nulls)
        or (value is not None and not holds(check, value))
    }
    assert found.wrong.tolist() == sorted(expected)
    assert len(found.reasons()) == len(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.none() | st.integers(0, 3), max_size=8), st.sampled_from(["none", "first", "last"])
)
def test_what_repeats(values, keep):
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.Int64)})
    check = RowCheck(column="x", rule="unique", keep=keep)
    passing = [at for at in range(len(values)) if at not in check_rows_of(frame, [check]).wrong]
    for value in {v for v in values if v is not None}:
        places = [at for at, v in enumerate(values) if v == value]
        kept = {
            "none": places if len(places) == 1 else [],
            "first": places[:1],
            "last": places[-1:],
        }
        assert [at for at in passing if values[at] == value] == kept[keep]
    assert all(at in passing for at, v in enumerate(values) if v is None)


def test_large_columns_of_few_texts_are_asked_once_a_value(monkeypatch):
    texts = ["AA", "UA", None] * 5000
    frame = pl.DataFrame({"carrier": texts})
    checks = [
        RowCheck(column="carrier", rule="matches", value="[A-Z]{2}"),
        RowCheck(column="carrier", rule="in", value=("AA", "UA")),
        RowCheck(column="carrier", rule="not_in", value=("UA",)),
    ]
    found = check_rows_of(frame, checks)
    assert [each.failure for each in found.failing] == ["carrier: one of UA"]
    assert found.failing[0].positions.tolist() == list(range(1, 15000, 3))
    monkeypatch.setattr(one_pass, "_FEW", 0)
    assert check_rows_of(frame, checks).wrong.tolist() == found.wrong.tolist()


def test_a_pattern_is_for_the_whole_text():
    frame = pl.DataFrame({"tail": ["N123", "N123x", "xN123", "", None, "N1\n"]})
    found = check_rows_of(frame, [RowCheck(column="tail", rule="matches", value=r"N\d+|")])
    assert found.wrong.tolist() == [1, 2, 5]


def test_moments_and_several_columns():
    frame = pl.DataFrame(
        {
            "at": [datetime(2013, 1, day, tzinfo=UTC) for day in (1, 2, 2)],
            "flight": [7, 7, 7],
        }
    )
    checks = [
        RowCheck(column="at", rule="above", value=datetime(2013, 1, 1, tzinfo=UTC)),
        RowCheck(column="at", columns=("at", "flight"), rule="unique"),
    ]
    assert check_rows_of(frame, checks).reasons() == [
        "at: not above 2013-01-01 00:00:00+00:00",
        "at, flight: repeated",
        "at, flight: repeated",
    ]


def test_lookups():
    frame = pl.DataFrame({"station": ["JFK", "XXX", None]})
    check = RowCheck(column="station", rule="references", value="weather.station")
    found = check_rows_of(frame, [check], {"weather.station": pl.Series(["JFK", "EWR"])})
    assert found.reasons() == ["station: not in weather.station"]


@pytest.mark.parametrize(
    "check",
    [
        RowCheck(column="t", rule="min", value=3),
        RowCheck(column="x", rule="matches", value="a"),
        RowCheck(column="x", rule="in", value=("a",)),
        RowCheck(column="x", rule="min", value=datetime(2013, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_cannot_be_asked_of_a_type_is_said(check):
    frame = pl.DataFrame({"x": [1.0], "t": ["a"]})
    with pytest.raises(DataError, match="cannot be asked"):
        check_rows_of(frame, [check])


def test_nothing_to_do():
    assert (
        check_rows_of(pl.DataFrame({"x": [1]}), [RowCheck(column="y", rule="present")]).failing
        == ()
    )
    empty = pl.DataFrame({"x": pl.Series([], dtype=pl.Int64)})
    assert check_rows_of(empty, [RowCheck(column="x", rule="min", value=0)]).wrong.tolist() == []
