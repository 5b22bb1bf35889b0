from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.evidence.slice_bins import N_BINS, N_CATEGORIES, bin_column, short_between


def rows_of(text, values):
    """Evaluate a slice's text, as a reader would."""
    if text.endswith(" is missing"):
        return values.is_null()
    if text.endswith(" is not missing"):
        return values.is_not_null()
    name = values.name
    for pattern, test in (
        (rf"{name} = (.+)", lambda v: values == float(v)),
        (rf"{name} <= (.+)", lambda v: values <= float(v)),
        (rf"{name} > (.+)", lambda v: values > float(v)),
        (rf"(.+) < {name} <= (.+)", lambda a, b: (values > float(a)) & (values <= float(b))),
    ):
        if match := re.fullmatch(pattern, text):
            return test(*match.groups()).fill_null(False)
    raise AssertionError(text)


numbers = st.lists(
    st.one_of(st.none(), st.integers(-5, 5), st.floats(-1e6, 1e6)), min_size=2, max_size=60
)


@given(numbers)
def test_a_slice_of_a_number_is_what_its_text_says(values):
    series = pl.Series("x", values, dtype=pl.Float64, strict=False)
    bins = bin_column(series)
    if bins is None:
        return
    assert len(set(bins.texts)) == len(bins.texts) == len(bins.members)
    for members, text in zip(bins.members, bins.texts, strict=True):
        inside = members[bins.codes] > 0
        np.testing.assert_array_equal(inside, rows_of(text, series).to_numpy(), err_msg=text)
        assert 0 < inside.sum() < len(series)


def test_bins_hold_about_equally_many_rows():
    bins = bin_column(pl.Series("x", np.random.default_rng(0).normal(size=8000)))
    counts = np.bincount(bins.codes, minlength=N_BINS)[:N_BINS]
    assert counts.min() > 950
    assert counts.max() < 1050
    assert len(bins.texts) == N_BINS * (N_BINS + 1) // 2 - 1


def test_words():
    values = ["a"] * 5 + ["b"] * 3 + [None] * 2
    bins = bin_column(pl.Series("shop", values))
    assert bins.texts == ("shop = a", "shop = b", "shop is missing")
    inside = [(members[bins.codes] > 0).sum() for members in bins.members]
    assert inside == [5, 3, 2]


def test_ten_thousand_categories_make_twenty_and_the_rest():
    rng = np.random.default_rng(0)
    values = [f"w{k}" for k in np.minimum(rng.geometric(0.05, 20_000), 10_000)]
    bins = bin_column(pl.Series("word", values))
    assert len(bins.texts) == N_CATEGORIES + 1
    assert bins.texts[-1] == "word is none of its 20 most frequent values"
    assert (bins.members[:, bins.codes].sum(axis=0) == 1).all()


def test_booleans():
    assert bin_column(pl.Series("open", [True, False, None])).texts == (
        "open = false",
        "open = true",
        "open is missing",
    )


@pytest.mark.parametrize(
    "values",
    [
        pl.Series("x", [1.0, 1.0]),
        pl.Series("x", [None, None], dtype=pl.Float64),
        pl.Series("x", [None, None], dtype=pl.String),
        pl.Series("x", ["a", "a"]),
        pl.Series("x", [], dtype=pl.Float64),
    ],
)
def test_columns_in_which_all_rows_are_alike(values):
    assert bin_column(values) is None


@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e6))
def test_a_short_number_cuts_in_the_same_place(low, step):
    high = low + step
    if low < high:
        assert low <= short_between(low, high) < high
