from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from gleis.data.analysis.columns import summarise_column


@pytest.fixture(scope="module")
def skewed():
    values = np.random.default_rng(0).lognormal(0, 1.5, 20_000).round(3)
    return (
        pl.Series("x", values)
        .to_frame()
        .with_columns(
            pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise(pl.col("x")).alias("x")
        )["x"]
    )


def test_numbers_are_exact(skewed):
    found, values = summarise_column(skewed), skewed.drop_nulls().to_numpy()
    assert found.missing == 2000
    assert found.distinct == len(np.unique(values))
    assert found.numbers.mean == pytest.approx(values.mean())
    assert found.numbers.spread == pytest.approx(values.std())
    for level, quantile in zip((0.05, 0.25, 0.5, 0.75, 0.95), found.numbers.quantiles, strict=True):
        assert quantile == np.quantile(values, level, method="nearest")
    counted = skewed.drop_nulls().value_counts()
    assert found.top[0].rows == counted["count"].max()
    for each in found.top:
        assert counted.filter(pl.col("x") == float(each.value))["count"].item() == each.rows


def test_a_histogram_counts_every_row_once(skewed):
    found, values = summarise_column(skewed).histogram, skewed.drop_nulls().to_numpy()
    assert found.below + found.above + sum(found.counts) == len(values)
    assert found.above > 0  # the far tail would leave one bar
    inside = values[(values >= found.edges[0]) & (values <= found.edges[-1])]
    assert list(found.counts) == np.histogram(inside, found.edges)[0].tolist()


def test_whole_numbers_of_a_few_values_have_a_bar_each():
    found = summarise_column(pl.Series("n", [1, 1, 3]))
    assert found.histogram.counts == (2, 0, 1)
    assert found.histogram.edges == (0.5, 1.5, 2.5, 3.5)


def test_times_have_a_first_and_a_last():
    start = datetime(2024, 1, 1, tzinfo=UTC)
    found = summarise_column(pl.Series("at", [start + timedelta(hours=i) for i in range(48)]))
    assert (found.first, found.last) == (start, start + timedelta(hours=47))
    assert found.kind == "time"
    assert set(found.histogram.counts) == {2}


def test_categories_have_their_commonest_values():
    found = summarise_column(pl.Series("c", ["b"] * 5 + ["a"] * 5 + ["z", None]))
    assert [(each.value, each.rows) for each in found.top] == [("a", 5), ("b", 5), ("z", 1)]
    assert (found.distinct, found.missing) == (3, 1)


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([None, None], "all missing"),
        ([7, 7, None], "constant"),
        ([1] * 199 + [2], "99.5% are 1"),
        ([f"c{i % 60}" for i in range(600)], "60 categories"),
        ([f"id{i}" for i in range(30)], "all different"),
        (["1.5", "2", "2"], "numbers as text"),
    ],
)
def test_what_is_odd_is_noted(values, note):
    assert note in summarise_column(pl.Series("x", values, strict=False)).notes


def test_ordinary_columns_have_no_note():
    draw = np.random.default_rng(0)
    for values in (draw.normal(size=500), draw.integers(0, 9, 500), draw.choice(list("abc"), 500)):
        assert summarise_column(pl.Series("x", values)).notes == ()


def test_many_different_texts_are_counted_without_listing_them():
    found = summarise_column(pl.Series("id", [f"row{i}" for i in range(20_000)]))
    assert (found.distinct, found.top) == (20_000, ())


def test_values_of_people_are_masked():
    column = pl.Series("mail", ["anna@example.org", "anna@example.org", "bob@example.org"])
    found = summarise_column(column, personal=["email"])
    assert [each.value for each in found.top] == ["a•••@•••••••.•••", "b••@•••••••.•••"]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("x", [4111111111111111, 4111111111111129]),
        pl.Series("x", [datetime(1950, 5, 1, tzinfo=UTC), datetime(1961, 5, 1, tzinfo=UTC)]),
    ],
)
def test_bounds_of_people_are_left_out(column):
    found = summarise_column(column, personal=["card"])
    assert (found.numbers, found.first, found.histogram) == (None, None, None)
    assert found.distinct == 2


def test_infinite_values_break_nothing():
    found = summarise_column(pl.Series("x", [1.0, 2.0, float("inf"), float("-inf")]))
    assert found.histogram.below + found.histogram.above + sum(found.histogram.counts) == 4


def test_values_on_a_grid_fill_bins_alike():
    """31 days in 24 bins of equal width: seven of them would hold two days and look special."""
    for step in (1, 10, 0.25):
        days = pl.Series("d", [day * step for day in range(31)] * 20)
        found = summarise_column(days).histogram
        assert set(found.counts[:-1]) == {40}
        assert found.counts[-1] == 20
        assert found.edges[0] == pytest.approx(-step / 2)
        assert found.below == found.above == 0
