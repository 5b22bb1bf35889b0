from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence_rows import CONTRACT, make_rows
from gleis.contracts.contract import Column, Contract
from gleis.evidence.robustness.table import read_table


def test_columns_come_back_as_they_were():
    rows = make_rows(300)
    columns = read_table(rows, CONTRACT).columns()
    for name in ("price", "pages", "age"):
        wanted = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        np.testing.assert_array_equal(columns[name], wanted)
    assert columns["shop"].to_list() == rows["shop"].to_list()
    assert columns["member"].to_list() == rows["member"].to_list()


def test_missing_words_stay_missing():
    features = (
        Column(name="shop", kind="category", categories=("a",), nullable=True),
        Column(name="open", kind="boolean", nullable=True),
    )
    contract = Contract(task="regression", features=features, target="y")
    rows = pl.DataFrame({"shop": ["a", None], "open": [None, True]})
    table = read_table(rows, contract)
    assert table.missing("shop").tolist() == [False, True]
    assert table.columns()["shop"].to_list() == ["a", None]
    assert table.columns()["open"].to_list() == [None, True]


def test_words_beyond_the_contract_keep_their_places_between_tables():
    train = read_table(make_rows(50).with_columns(shop=pl.lit("new")), CONTRACT)
    assert train.words["shop"] == ("a", "b", "c", "new")
    test = read_table(make_rows(50), CONTRACT, train.words)
    assert test.words["shop"] == ("a", "b", "c", "new")
    assert test.columns()["shop"].to_list() == make_rows(50)["shop"].to_list()


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_a_column_without_any_value(dtype):
    column = Column(name="shop", kind="category", categories=(), nullable=True)
    contract = Contract(task="regression", features=(column,), target="y")
    table = read_table(pl.DataFrame({"shop": pl.Series([None, None], dtype=dtype)}), contract)
    assert table.columns()["shop"].to_list() == [None, None]
