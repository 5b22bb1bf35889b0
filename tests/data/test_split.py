from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gleis.contracts.errors import DataError
from gleis.data.split import split_rows

START = datetime(2013, 1, 1, tzinfo=UTC)


def table(hours, seed=0):
    rng = np.random.default_rng(seed)
    n = len(hours)
    late = rng.integers(0, 2, n)
    return pl.DataFrame(
        {
            "at": pl.Series(
                [START + timedelta(hours=int(h)) for h in hours], dtype=pl.Datetime("us", "UTC")
            ),
            "g": rng.integers(0, 12, n),
            "y": rng.normal(size=n),
            "late": late,
        }
    )


def covers(split, n):
    both = np.concatenate([split.train, split.test])
    assert np.array_equal(np.sort(both), np.arange(n))
    for side in (split.train, split.test):
        assert np.all(np.diff(side) > 0)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=80, max_size=200),
    st.floats(0.25, 0.6),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["time", "group", "random"]),
)
def test_every_split_is_disjoint_complete_and_repeatable(make_settings, hours, share, seed, by):
    frame = table(hours)
    config = make_settings(
        "regression", "y", time="at", split={"by": by, "test": share, "group": "g"}
    )
    try:
        split = split_rows(frame, config, seed)
    except DataError:
        reject()
    covers(split, frame.height)
    again = split_rows(frame, config, seed)
    assert np.array_equal(split.test, again.test)
    if by == "time":
        assert frame["at"][split.train].max() < split.boundary <= frame["at"][split.test].min()
    if by == "group":
        assert set(frame["g"][split.train]) & set(frame["g"][split.test]) == set()
    if by == "random":
        assert abs(split.test.size - share * frame.height) <= 0.5 + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(40, 200), min_size=2, max_size=5), st.floats(0.15, 0.8))
def test_random_split_takes_the_same_share_of_each_class(make_settings, sizes, share):
    late = np.repeat(np.arange(len(sizes)), sizes)
    np.random.default_rng(1).shuffle(late)
    config = make_settings("multiclass", split={"by": "random", "test": share})
    split = split_rows(pl.DataFrame({"late": late, "x": late}), config, 3)
    covers(split, late.size)
    for label, size in enumerate(sizes):
        assert abs((late[split.test] == label).sum() - share * size) <= 0.5 + 1e-9


def test_other_seeds_give_other_splits(make_settings):
    frame = table(range(200))
    for by in ("random", "group"):
        config = make_settings(split={"by": by, "group": "g"})
        one, two = (split_rows(frame, config, seed) for seed in (1, 2))
        assert not np.array_equal(one.test, two.test)


def test_duration_counts_back_from_the_last_row(make_settings):
    config = make_settings(time="at", split={"by": "time", "test": "1d"})
    split = split_rows(table(range(100)), config, 0)
    assert split.boundary == START + timedelta(hours=75)
    assert split.test.tolist() == list(range(75, 100))


def test_rows_of_one_moment_stay_together(make_settings):
    config = make_settings(time="at", split={"by": "time", "test": 0.2})
    split = split_rows(table(np.repeat(np.arange(4), 25)), config, 0)
    assert split.test.tolist() == list(range(75, 100))


def test_order_of_the_rows_does_not_matter_by_time(make_settings):
    config = make_settings(time="at", split={"by": "time", "test": 0.25})
    frame = table(range(100))
    order = np.random.default_rng(0).permutation(100)
    split = split_rows(frame[order], config, 0)
    assert sorted(order[split.test]) == list(range(75, 100))


def test_groups_are_said(make_settings):
    config = make_settings(split={"by": "group", "group": "g", "test": 0.25})
    split = split_rows(table(range(300)), config, 0)
    assert split.notes[0].startswith("3 of 12 groups of g test: ")


@pytest.mark.parametrize(
    ("split", "spoil", "named"),
    [
        ({"test": 0.2}, lambda f: f.head(30), "6 labelled rows to test, fewer than 10.*0.2"),
        ({"test": 0.9}, lambda f: f.head(30), "labelled rows to train, fewer than 10"),
        ({"by": "time", "test": "5h"}, lambda f: f, "6 labelled rows to test.*'5h'"),
        ({"by": "time", "test": "40d"}, lambda f: f, "0 labelled rows to train.*'40d'"),
        (
            {"by": "time", "test": "1d"},
            lambda f: f.with_columns(late=(pl.col("at").dt.day() > 3).cast(int)),
            "rows to test have one class of late only: '1'",
        ),
        (
            {"by": "time", "test": "1d"},
            lambda f: f.with_columns(late=(pl.int_range(pl.len()) > 180).cast(int)),
            "rows to train have one class of late only: '0'",
        ),
        (
            {"by": "group", "group": "g"},
            lambda f: f.with_columns(g=pl.lit(3)),
            r"g has one group only.*\[3\]",
        ),
    ],
)
def test_splits_that_measure_nothing(make_settings, split, spoil, named):
    with pytest.raises(DataError, match=named):
        split_rows(spoil(table(range(200))), make_settings(time="at", split=split), 0)


def test_a_class_of_one_row_trains_and_is_said(make_settings):
    frame = table(range(200)).with_columns(
        late=pl.when(pl.int_range(pl.len()) == 5).then(7).otherwise("late")
    )
    split = split_rows(frame, make_settings("multiclass"), 0)
    assert 5 in split.train
    assert split.notes == ("Classes that no test row has: 7.",)


def test_a_class_only_in_the_test_is_said(make_settings):
    frame = table(range(200)).with_columns(
        late=pl.when(pl.int_range(pl.len()) == 199).then(7).otherwise("late")
    )
    config = make_settings("multiclass", time="at", split={"by": "time", "test": 0.2})
    assert split_rows(frame, config, 0).notes == ("Classes that only test rows have: 7.",)
