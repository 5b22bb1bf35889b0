from __future__ import annotations

import subprocess
import sys
import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gleis.contracts.errors import DataError, ProjectError
from gleis.data.door import to_frame

VALUES = {
    "number": [1.5, None, -2.0],
    "whole": [1, 2, 3],
    "text": ["a", None, "b"],
    "truth": [True, False, None],
}


@pytest.mark.parametrize(
    "make",
    [
        pl.DataFrame,
        lambda values: pl.DataFrame(values).lazy(),
        lambda values: pd.DataFrame(values, index=[7, 7, 9]).astype({"truth": "boolean"}),
        pa.table,
    ],
    ids=["polars", "lazy", "pandas", "pyarrow"],
)
def test_every_table_becomes_the_same_frame(make):
    assert to_frame(make(VALUES)).equals(pl.DataFrame(VALUES))


def test_a_fitting_frame_is_not_copied():
    frame = pl.DataFrame(VALUES)
    assert to_frame(frame) is frame
    mixed = frame.with_columns(naive=pl.lit(datetime(2013, 1, 1)))
    settled = to_frame(mixed)
    assert settled["whole"].to_numpy().ctypes.data == mixed["whole"].to_numpy().ctypes.data


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (pl.Series([float("nan"), 1.0]), [None, 1.0]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), ["a", "b"]),
        (pl.Series([Decimal("1.25"), None]), [1.25, None]),
        (pl.Series([1, 2], dtype=pl.UInt8), [1, 2]),
        (pl.Series([date(2013, 1, 2)]), [datetime(2013, 1, 2, tzinfo=UTC)]),
        (pl.Series([datetime(2013, 1, 2, 3)]), [datetime(2013, 1, 2, 3, tzinfo=UTC)]),
        (
            pl.Series([datetime(2013, 1, 2, 3)]).dt.replace_time_zone("America/New_York"),
            [datetime(2013, 1, 2, 8, tzinfo=UTC)],
        ),
        (
            pl.Series([datetime(2013, 1, 2, 3)], dtype=pl.Datetime("ns")),
            [datetime(2013, 1, 2, 3, tzinfo=UTC)],
        ),
    ],
)
def test_types_settle(series, expected):
    settled = to_frame(pl.DataFrame({"x": series}))["x"]
    assert settled.to_list() == expected
    kinds = (pl.Float64, pl.String, pl.Int64, pl.Datetime("us", "UTC"))
    assert settled.dtype in kinds


def test_pandas_times_and_categories():
    times = pd.to_datetime(["2013-01-02 03:00", None]).tz_localize("Europe/Berlin")
    table = pd.DataFrame({"at": times, "c": pd.Categorical(["x", None])})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = to_frame(table)
    assert str(table["at"].dtype.tz) == "Europe/Berlin", "it stays as it came"
    assert frame.schema == {"at": pl.Datetime("us", "UTC"), "c": pl.String}
    assert frame["at"].to_list() == [datetime(2013, 1, 2, 2, tzinfo=UTC), None]


@pytest.mark.parametrize(
    ("thing", "named"),
    [
        (None, "NoneType.*return"),
        ([{"a": 1}], "list"),
        (np.zeros((2, 2)), "numpy.ndarray"),
        (pd.Series([1, 2]), "pandas.Series"),
        (pl.Series([1, 2]), "polars.Series"),
        ({"a": [1]}, "dict"),
        (pa.array([1]), "pyarrow"),
    ],
)
def test_no_table(thing, named):
    with pytest.raises(ProjectError, match=rf"(?s)must return a table.*{named}"):
        to_frame(thing)


@pytest.mark.parametrize("table", [pd.DataFrame([[1, 2]], columns=["a", "a"]), None])
def test_repeated_names(table):
    if table is None:
        table = pa.table([[1], [2]], names=["a", "a"])
    with pytest.raises(DataError, match=r"repeat.*\['a'\]"):
        to_frame(table)


def test_names_that_are_no_text():
    with pytest.raises(DataError, match="not text: 7"):
        to_frame(pd.DataFrame([[1, 2]], columns=["a", 7]))


def test_mixed_column_is_named():
    with pytest.raises(DataError, match=r"Column m mixes types.*\['int', 'str'\]") as caught:
        to_frame(pd.DataFrame({"ok": [1, 2], "m": [1, "x"]}))
    assert caught.value.field == "m"


def test_unsigned_beyond_64_bits():
    with pytest.raises(DataError, match="64 bits"):
        to_frame(pl.DataFrame({"x": pl.Series([2**64 - 1], dtype=pl.UInt64)}))


@pytest.mark.parametrize("value", [1 << 63, (1 << 64) - 1, 1 << 64])
def test_integers_beyond_64_bits_are_named(value):
    tables = [
        pd.DataFrame({"n": pd.Series([1, value], dtype=object)}),
        pl.DataFrame({"n": pl.Series([1, value], dtype=pl.Int128)}),
        pl.DataFrame({"n": pl.Series([Decimal(1), Decimal(value)])}),
    ]
    for table in tables:
        with pytest.raises(DataError, match=f"Column n holds an integer .* 64 bits: {value}"):
            to_frame(table)


def test_two_billion_is_an_id_like_any():
    for kind in ("int64", "uint32", "Int64", "object"):
        frame = to_frame(pd.DataFrame({"n": pd.Series([2_000_000_000, 4_294_967_295], dtype=kind)}))
        assert frame["n"].to_list() == [2_000_000_000, 4_294_967_295]


def test_zones_of_an_object_column():
    plain, utc = datetime(2013, 1, 1), datetime(2013, 1, 1, tzinfo=UTC)
    east = datetime(2013, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    several = pd.DataFrame({"at": pd.Series([utc, east], dtype=object)})
    assert to_frame(several)["at"].to_list() == [utc, utc]
    for mixed in ([plain, utc], [east, plain]):
        with pytest.raises(DataError, match="Column at mixes times with a zone"):
            to_frame(pd.DataFrame({"at": pd.Series(mixed, dtype=object)}))


def test_numbers_of_pandas_are_not_copied():
    table = pd.DataFrame({"x": np.arange(5.0), "n": np.arange(5)})
    frame = to_frame(table)
    for name in ("x", "n"):
        assert frame[name].to_numpy().ctypes.data == table[name].to_numpy().ctypes.data


def test_pandas_stays_out_unless_it_comes_in():
    code = (
        "import sys, polars as pl\n"
        "from gleis.data.door import to_frame\n"
        "to_frame(pl.DataFrame({'x': [1]}))\n"
        "loaded = {'pandas', 'pyarrow', 'sklearn', 'mlflow'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
