import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.errors import DataError
from gleis.contracts.profile import CategorySketch, NumberSketch
from gleis.data.profile import (
    as_numbers,
    bin_counts,
    code_values,
    merge,
    profile,
    quantile,
    sketch_number,
)

NUMBERS = st.lists(
    st.one_of(
        st.none(),
        st.floats(-1e6, 1e6),
        st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf]),
    ),
    max_size=60,
)
WORDS = st.lists(st.sampled_from([None, "AA", "B6", "UA", "never seen"]), max_size=60)
COLUMNS = ["delay", "carrier"]


def table(numbers, words):
    n = min(len(numbers), len(words))
    return pl.DataFrame(
        {"delay": numbers[:n], "carrier": words[:n]},
        schema={"delay": pl.Float64, "carrier": pl.String},
    )


TABLES = st.builds(table, NUMBERS, WORDS)
LIKE = profile(table([0.0, 1.0, 2.5, -7.0, 100.0], ["AA", "UA", "AA", "B6", "UA"]), COLUMNS, bins=3)


def assert_equal(first, second):
    assert first.rows == second.rows
    assert first.columns["carrier"] == second.columns["carrier"]
    one, two = first.columns["delay"], second.columns["delay"]
    exact = ("edges", "counts", "missing", "low", "high")
    assert [getattr(one, f) for f in exact] == [getattr(two, f) for f in exact]
    assert one.mean == pytest.approx(two.mean, rel=1e-9, abs=1e-9)
    assert one.m2 == pytest.approx(two.m2, rel=1e-9, abs=1e-3)  # values up to 1e6, squared


@settings(max_examples=150, deadline=None)
@given(TABLES, TABLES, TABLES)
def test_merge_is_the_profile_of_all_rows_in_any_order(a, b, c):
    pa, pb, pc = (profile(t, COLUMNS, like=LIKE) for t in (a, b, c))
    whole = profile(pl.concat([a, b, c]), COLUMNS, like=LIKE)
    assert_equal(merge(merge(pa, pb), pc), whole)
    assert_equal(merge(pa, merge(pb, pc)), whole)
    assert_equal(merge(merge(pc, pa), pb), whole)


@settings(max_examples=150, deadline=None)
@given(NUMBERS, st.integers(1, 8))
def test_bins_hold_what_they_say(values, bins):
    sketch = sketch_number(values, bins=bins)
    numbers = np.array(values, dtype=float)
    finite = numbers[np.isfinite(numbers)]
    assert list(sketch.edges) == sorted(set(sketch.edges))
    assert sketch.rows == len(values)
    bounds = [-np.inf, *sketch.edges, np.inf]
    for i, count in enumerate(sketch.counts):
        assert count == ((finite > bounds[i]) & (finite <= bounds[i + 1])).sum()
    if len(finite):
        assert (sketch.counts[0], sketch.counts[-1]) == (0, 0)  # kept for values out of range
        assert len(sketch.counts) <= bins + 2
        assert (sketch.low, sketch.high) == (finite.min(), finite.max())


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_codes_count_to_the_profile(rows):
    seen = profile(rows, COLUMNS, like=LIKE)
    for name, sketch in LIKE.columns.items():
        codes = code_values(sketch, rows[name].to_list())
        expected = bin_counts(seen.columns[name])
        assert np.bincount(codes, minlength=len(expected)).tolist() == expected.tolist()


def test_few_distinct_values_have_a_bin_each():
    sketch = sketch_number([3, 1, 2, 2, 3, 3])
    assert sketch.counts == (0, 1, 2, 3, 0)


def test_many_values_are_spread_evenly():
    values = np.random.default_rng(0).normal(size=10_000)
    inner = sketch_number(values, bins=20).counts[1:-1]
    assert len(inner) == 20
    assert set(inner) == {500}


def test_a_constant_column_shows_when_it_moves():
    sketch = sketch_number([7.0] * 10)
    moved = sketch_number([6.9, 7.0, 7.1], like=sketch)
    assert moved.counts == (1, 1, 1)


def test_moments_match_numpy():
    values = np.random.default_rng(1).lognormal(size=5000)
    sketch = sketch_number(np.append(values, [np.nan, np.inf]))
    assert sketch.missing == 2
    assert sketch.mean == pytest.approx(values.mean(), rel=1e-12)
    assert sketch.m2 == pytest.approx(values.var() * len(values), rel=1e-12)


@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_quantile_lies_in_the_right_bin(q):
    values = np.random.default_rng(2).normal(size=20_000)
    sketch = sketch_number(values, bins=64)
    near = np.quantile(values, [max(q - 1 / 64, 0), min(q + 1 / 64, 1)])
    assert near[0] <= quantile(sketch, q) <= near[1]


def test_quantile_of_nothing_is_nan():
    assert math.isnan(quantile(sketch_number([None, None]), 0.5))


def test_kinds_of_columns():
    frame = pl.DataFrame(
        {
            "late": [True, False, None],
            "hour": [1, 2, 3],
            "fast": pl.Series([1.5, 2.5, None], dtype=pl.Float32),
            "origin": pl.Series(["JFK", None, "EWR"], dtype=pl.Categorical),
            "empty": [None, None, None],
        }
    )
    seen = profile(frame, frame.columns).columns
    assert seen["late"].counts == (0, 1, 1, 0)
    assert seen["late"].missing == 1
    assert isinstance(seen["hour"], NumberSketch)
    assert seen["fast"].mean == 2.0
    assert isinstance(seen["origin"], CategorySketch)
    assert seen["origin"].categories == ("EWR", "JFK")
    assert seen["empty"].missing == 3


def test_no_rows():
    nothing = profile(table([], []), COLUMNS)
    assert nothing.rows == 0
    assert nothing.columns["delay"].counts == (0,)
    some = profile(table([], []), COLUMNS, like=LIKE)
    assert merge(some, LIKE) == LIKE
    assert merge(LIKE, some) == LIKE


def test_unknown_categories_are_counted():
    seen = profile(pl.DataFrame({"carrier": ["AA", "ZZ", None]}), ["carrier"], like=LIKE)
    assert bin_counts(seen.columns["carrier"]).tolist() == [1, 1, 0, 0, 1]


def test_long_columns_are_counted_in_full():
    values = np.random.default_rng(3).normal(size=450_001)
    sketch = sketch_number(values)
    assert sketch.rows == len(values)
    share = np.array(sketch.counts[1:-1]) / len(values)
    assert np.abs(share - 1 / 32).max() < 0.005


@pytest.mark.parametrize(
    ("frame", "columns", "words"),
    [
        (pl.DataFrame({"a": [1]}), ["b"], "'b'"),
        (pl.DataFrame({"a": [[1]]}), ["a"], "List(Int64)"),
        (pl.DataFrame({"delay": ["x"]}), ["delay"], "held numbers before"),
        (pl.DataFrame({"carrier": [1]}), ["carrier"], "Int64"),
    ],
)
def test_columns_that_cannot_be_profiled(frame, columns, words):
    with pytest.raises(DataError) as error:
        profile(frame, columns, like=LIKE)
    assert words in str(error.value)


def test_profiles_of_other_bins_do_not_merge():
    other = profile(table([5.0, 6.0], ["AA", "ZZ"]), COLUMNS)
    with pytest.raises(DataError, match="delay"):
        merge(LIKE, other)
    with pytest.raises(DataError, match="different columns"):
        merge(LIKE, profile(table([5.0], ["AA"]), ["delay"]))


def test_text_among_numbers_is_named():
    with pytest.raises(DataError, match="abc"):
        as_numbers([1.0, "abc"])
