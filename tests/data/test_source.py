from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from gleis.contracts.errors import DataError, ProjectError
from gleis.data.module import open_module
from gleis.data.source import load_rows

SINCE, UNTIL = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 4, tzinfo=UTC)
MODULE = """
import pandas as pd, polars as pl

def load(since, until):
    {body}

def build_model(params):
    return None
"""


@pytest.fixture
def rows(tmp_path, make_settings):
    def load(body, since=SINCE, until=UNTIL, time="at"):
        (tmp_path / "p.py").write_text(MODULE.format(body=body))
        return load_rows(open_module(tmp_path, "p"), make_settings(time=time), since, until)

    return load


def pandas_days(*days):
    texts = [f"2013-01-{day:02}" for day in days]
    return f"return pd.DataFrame({{'at': pd.to_datetime({texts}), 'n': range({len(days)})}})"


def test_rows_are_ordered_by_time_and_stay_in_order_within(rows):
    frame = rows(pandas_days(3, 1, 3, 2, 1))
    assert frame["at"].dt.day().to_list() == [1, 1, 2, 3, 3]
    assert frame["n"].to_list() == [1, 4, 3, 0, 2]
    assert frame.schema["at"] == pl.Datetime("us", "UTC")


def test_load_is_given_the_period(rows):
    frame = rows("return pl.DataFrame({'at': [since], 'until': [until]})")
    assert frame.row(0) == (SINCE, UNTIL)


def test_no_rows_are_no_error_here(rows):
    assert rows("return pl.DataFrame()").is_empty()


def test_without_a_time_column_rows_stay_as_they_come(rows):
    assert rows(pandas_days(9, 1), time=None)["n"].to_list() == [0, 1]


@pytest.mark.parametrize("days", [(1, 4), (2, 4, 5)])
def test_until_is_exclusive(rows, days):
    named = f"{len(days) - 1} of {len(days)} rows outside.*at < 2013-01-04.*'2013-01-04"
    with pytest.raises(DataError, match=named) as caught:
        rows(pandas_days(*days))
    assert "since is inclusive, until exclusive" in caught.value.remedy


def test_rows_before_since(rows):
    with pytest.raises(DataError, match=r"1 of 2 rows.*'2013-01-01"):
        rows(pandas_days(1, 3), since=datetime(2013, 1, 2, tzinfo=UTC))
    assert rows(pandas_days(1, 30), since=None, until=None).height == 2


@pytest.mark.parametrize(
    ("body", "error", "named"),
    [
        ("return 1 / 0", ProjectError, r"p\.py:5: load failed: ZeroDivisionError"),
        ("pass", ProjectError, "must return a table.*NoneType.*forget its return"),
        ("return [1]", ProjectError, "must return a table: 'list'"),
        ("return pl.DataFrame({'a': [1]})", DataError, r"project\.time.*'at'"),
        (
            "return pl.DataFrame({'at': [20130101]})",
            DataError,
            "at holds Int64, not times: 2013010",
        ),
        ("return pl.DataFrame({'at': [since, None]})", DataError, "at is null: '1 of 2"),
    ],
)
def test_bad_sources(rows, body, error, named):
    with pytest.raises(error, match=named):
        rows(body)
