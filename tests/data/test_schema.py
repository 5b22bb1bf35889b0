from __future__ import annotations

import polars as pl
import pytest

from gleis.contracts.errors import DataError
from gleis.data.schema import columns_of, fit_columns

KNOWN = {
    "i": "Int64",
    "f": "Float64",
    "t": "String",
    "at": "Datetime(time_unit='us', time_zone='UTC')",
}
ROWS = pl.DataFrame(
    {
        "i": [1, None],
        "f": [0.5, 1.0],
        "t": ["a", None],
        "at": pl.Series([0, None], dtype=pl.Datetime("us", "UTC")),
    }
)


def test_columns_of_a_frame_fit_it():
    assert columns_of(ROWS) == KNOWN
    assert fit_columns(ROWS, columns_of(ROWS)).equals(ROWS)


@pytest.mark.parametrize(
    "change",
    [
        pl.col("i").cast(pl.Float64),
        pl.col("i").cast(pl.Int8),
        pl.lit(None).alias("t"),
        pl.lit(None).alias("at"),
        pl.lit(3).alias("f"),
    ],
)
def test_what_loses_nothing_is_cast(change):
    fitted = fit_columns(ROWS.with_columns(change).select("at", "f", "t", "i"), KNOWN)
    assert {name: str(kind) for name, kind in fitted.schema.items()} == KNOWN
    assert fitted.columns == list(KNOWN)
    if change.meta.output_name() == "i":
        assert fitted["i"].to_list() == [1, None]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda f: f.drop("t"), "missing: t"),
        (lambda f: f.with_columns(x=1), "new: x"),
        (lambda f: f.rename({"t": "u"}), "missing: t; new: u"),
        (lambda f: f.with_columns(i=pl.lit(0.5)), r"another type: i \(Int64 -> Float64\)"),
        (lambda f: f.with_columns(i=pl.lit(1e300)), r"i \(Int64 -> Float64\)"),
        (lambda f: f.with_columns(f=pl.lit(2**53 + 1)), r"f \(Float64 -> Int64\)"),
        (lambda f: f.with_columns(f=pl.lit("1")), r"f \(Float64 -> String\)"),
        (lambda f: f.with_columns(i=pl.lit(True)), r"i \(Int64 -> Boolean\)"),
    ],
)
def test_what_differs_is_named(spoil, named):
    with pytest.raises(DataError, match=named):
        fit_columns(spoil(ROWS), KNOWN)


def test_a_column_without_values_has_no_type():
    with pytest.raises(DataError, match="Column x is null in all 2 rows"):
        columns_of(ROWS.with_columns(x=pl.lit(None)))
