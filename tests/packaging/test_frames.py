from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gleis.packaging.frames import FRAMES, as_frame

ROWS = pl.DataFrame(
    {
        "x": [0.5, None, 2.0],
        "n": pl.Series([1, None, 3], dtype=pl.Int64),
        "c": ["b", None, "a"],
        "t": [True, False, True],
    }
)


def test_polars_is_passed_on():
    assert as_frame(ROWS, "polars") is ROWS


def test_pandas_says_missing_as_pandas_does():
    table = as_frame(ROWS, "pandas")
    assert list(table.columns) == ROWS.columns
    assert table["c"].dtype == object
    assert np.isnan(table["c"][1])
    assert np.isnan(table["x"][1])
    assert table["n"].tolist()[::2] == [1.0, 3.0]
    assert table["t"].dtype == bool


def test_categories_are_the_text_seen():
    table = as_frame(ROWS, "pandas-category")
    assert isinstance(table["c"].dtype, pd.CategoricalDtype)
    assert table["c"].cat.codes.tolist() == [1, -1, 0]


def test_an_array_is_of_numbers_unless_there_is_text():
    numbers = as_frame(ROWS.select("x", "n", "t"), "array")
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, [[0.5, 1, 1], [np.nan, np.nan, 0], [2, 3, 1]])
    assert as_frame(ROWS, "array").dtype == object


@pytest.mark.parametrize("kind", FRAMES)
def test_a_single_row_has_the_same_columns(kind):
    table = as_frame(ROWS.head(1), kind)
    assert table.shape == (1, 4)
