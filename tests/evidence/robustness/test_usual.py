from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence_rows import CONTRACT, make_rows
from gleis.contracts.contract import Column, Contract
from gleis.evidence.robustness.table import read_table
from gleis.evidence.robustness.usual import usual_of


def test_numbers_and_words():
    rows = make_rows()
    known = usual_of(read_table(rows, CONTRACT))
    assert known["price"].spread == pytest.approx(rows["price"].std(ddof=0))
    assert known["age"].value == pytest.approx(rows["age"].mean())
    assert known["pages"].value == round(rows["pages"].mean())
    assert known["shop"].value == 0
    np.testing.assert_allclose(
        known["shop"].shares, [(rows["shop"] == shop).mean() for shop in "abc"]
    )
    assert known["member"].value == 0


def test_what_is_never_there_has_no_usual_value():
    features = (
        Column(name="n", kind="number", nullable=True),
        Column(name="w", kind="category", categories=(), nullable=True),
        Column(name="same", kind="number"),
    )
    rows = pl.DataFrame(
        {"n": [None, None], "w": [None, None], "same": [0.1, 0.1]},
        schema={"n": pl.Float64, "w": pl.String, "same": pl.Float64},
    )
    contract = Contract(task="regression", features=features, target="y")
    known = usual_of(read_table(rows, contract))
    assert np.isnan(known["n"].value)
    assert known["w"].value == -1
    assert known["n"].spread == known["same"].spread == 0
