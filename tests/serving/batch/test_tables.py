from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from small_packages import BINARY, ROW

from gleis.contracts.errors import DataError, InvalidRowError
from gleis.serving.batch.tables import TableReader, to_table
from gleis.serving.rows import RowReader

ROWS = [ROW, ROW | {"distance": 9000.0}, ROW | {"temp": None, "carrier": "ZZ"}]


def bad(**changes):
    return [ROW, ROW | changes]


@pytest.fixture
def reader():
    return TableReader(BINARY)


def test_flags_are_those_of_rows(reader):
    read = reader.read(to_table(pl.DataFrame(ROWS)))
    expected = RowReader(BINARY, 10).read(ROWS).flags
    assert {flag: at.tolist() for flag, at in read.flags.items()} == expected
    assert not len(read.wrong)


@pytest.mark.parametrize(
    "rows",
    [
        bad(distance=None),
        bad(distance=float("inf")),
        bad(hour=None),
        bad(hour=7.5),
        bad(carrier=None),
    ],
)
def test_the_words_are_those_of_rows(reader, rows):
    table = to_table(pl.DataFrame(rows, strict=False))
    assert reader.read(table).wrong.tolist() == [1]
    with pytest.raises(InvalidRowError) as told:
        RowReader(BINARY, 10).read(rows)
    assert reader.reasons(table, np.array([1])) == [str(told.value).removeprefix("rows[1]: ")]


def test_a_missing_feature_is_named_in_the_words_of_rows(reader):
    rows = [{name: value for name, value in ROW.items() if name != "temp"} | {"tmp": 1.0}]
    with pytest.raises(InvalidRowError) as told:
        RowReader(BINARY, 10).read(rows)
    with pytest.raises(InvalidRowError) as found:
        reader.read(to_table(pl.DataFrame(rows)))
    assert str(found.value) == str(told.value)


def test_columns_of_other_lengths_are_refused(reader):
    columns = {name: [value] for name, value in ROW.items()} | {"hour": [1, 2]}
    with pytest.raises(DataError, match="hour differs"):
        reader.read(to_table(columns))


@pytest.mark.parametrize(
    "rows",
    [
        pl.DataFrame(ROWS),
        pl.DataFrame(ROWS).to_pandas(),
        pl.DataFrame(ROWS).to_arrow(),
        pa.Table.from_pylist(ROWS).to_batches()[0],
        pl.DataFrame(ROWS).to_dict(as_series=False),
    ],
    ids=["polars", "pandas", "arrow", "batch", "dict"],
)
def test_tables_of_many_kinds_are_one(reader, rows):
    table = to_table(rows)
    assert table.rows == 3
    assert not len(reader.read(table).wrong)


def test_what_is_no_table_is_refused():
    with pytest.raises(DataError, match="not a table"):
        to_table(7)
