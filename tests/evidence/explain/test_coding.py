from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import DataError
from gleis.evidence.explain.coding import Coding

CONTRACT = Contract(
    task="regression",
    features=(
        Column(name="shop", kind="category", nullable=True, categories=("a", "b")),
        Column(name="size", kind="number", nullable=True),
        Column(name="hour", kind="integer", nullable=True),
        Column(name="open", kind="boolean", nullable=True),
    ),
    target="y",
)
ROW = st.fixed_dictionaries(
    {
        "shop": st.sampled_from(["a", "b", None]),
        "size": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "hour": st.none() | st.integers(-(2**53), 2**53),
        "open": st.none() | st.booleans(),
    }
)


@given(st.lists(ROW, min_size=1, max_size=5))
def test_rows_come_back_as_they_were(rows):
    coding = Coding(CONTRACT)
    matrix = coding.encode({name: [row[name] for row in rows] for name in CONTRACT.names})
    again = coding.encode(coding.decode(matrix))
    assert np.array_equal(matrix, again, equal_nan=True)
    read = [
        {name: coding.value(name, matrix[i, j]) for j, name in enumerate(CONTRACT.names)}
        for i in range(len(rows))
    ]
    assert read == rows


def test_unknown_words_are_learnt_or_refused():
    coding = Coding(CONTRACT)
    columns = {"shop": ["z", "a"], "size": [1, 2], "hour": [3, 4], "open": [True, None]}
    with pytest.raises(DataError, match="shop"):
        coding.encode(columns)
    wider = coding.knowing(columns)
    assert wider.encode(columns)[:, 0].tolist() == [2.0, 0.0]
    assert wider.decode(wider.encode(columns))["shop"].tolist() == ["z", "a"]
    assert wider.knowing(columns) is wider


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"size": ["much"]}, "size"),
        ({"hour": [1, 2]}, "length"),
        ({"shop": [7]}, "shop"),
        ({"open": None}, "open"),
    ],
)
def test_other_columns_are_refused(change, match):
    columns = {"shop": ["a"], "size": [1.0], "hour": [2], "open": [True]} | change
    columns = {name: values for name, values in columns.items() if values is not None}
    with pytest.raises(DataError, match=match):
        Coding(CONTRACT).encode(columns)
