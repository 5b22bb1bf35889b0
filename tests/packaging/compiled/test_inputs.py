from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.errors import DataError
from gleis.packaging.compiled.form import Input
from gleis.packaging.compiled.inputs import Inputs

READER = Inputs(
    [
        Input(name="size", kind="number"),
        Input(name="rooms", kind="integer"),
        Input(name="shop", kind="category", words=("a", "b")),
        Input(name="new", kind="boolean"),
    ]
)
ROWS = {
    "size": [1.5, None, 2, float("nan")],
    "rooms": [1, None, 3, 4.0],
    "shop": ["b", None, "other", "a"],
    "new": [True, None, False, 1],
}
NAN = float("nan")
EXPECTED = [[1.5, 1, 1, 1], [NAN, NAN, NAN, NAN], [2, 3, -1, 0], [NAN, 4, 0, 1]]


def polars(rows):
    frame = pl.DataFrame(rows, strict=False)
    return {name: frame[name] for name in frame.columns}


def objects(rows):
    return {name: np.array(values, dtype=object) for name, values in rows.items()}


def arrays(rows):
    numbers = {name: np.array(rows[name], dtype=np.float64) for name in ("size", "rooms", "new")}
    return numbers | {"shop": np.array(rows["shop"], dtype=object)}


@pytest.mark.parametrize("kind", [dict, polars, objects, arrays, pd.DataFrame])
def test_every_container_gives_the_same_numbers(kind):
    rows = ROWS | {"new": [True, None, False, True]}
    np.testing.assert_array_equal(READER.matrix(kind(rows)), EXPECTED)


def test_text_arrays_and_plain_booleans():
    rows = {
        "size": np.array([1, 2], dtype=np.int32),
        "rooms": np.array([1, 2]),
        "shop": np.array(["a", "zz"]),
        "new": np.array([True, False]),
    }
    np.testing.assert_array_equal(READER.matrix(rows), [[1, 1, 0, 1], [2, 2, -1, 0]])


@given(
    st.one_of(st.none(), st.floats()),
    st.one_of(st.none(), st.integers(-(2**60), 2**60)),
    st.one_of(st.none(), st.text(max_size=2)),
    st.one_of(st.none(), st.booleans()),
)
def test_one_row_is_read_as_many_are(size, rooms, shop, new):
    rows = {"size": [size], "rooms": [rooms], "shop": [shop], "new": [new]}
    matrix = READER.matrix(rows)
    np.testing.assert_array_equal(np.frombuffer(READER.row(rows)), matrix[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "1.5"),
        ("size", "text"),
        ("rooms", 1.5),
        ("rooms", "1"),
        ("shop", 3),
        ("shop", True),
        ("new", "yes"),
        ("new", 2),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_another_kind_is_named(name, value, count):
    rows = {key: values[:1] * count for key, values in ROWS.items()}
    rows[name] = [*rows[name][1:], value]
    for read in (READER.matrix, READER.row) if count == 1 else (READER.matrix,):
        with pytest.raises(DataError, match=f"{name} is not of kind") as caught:
            read(rows)
        assert caught.value.field == name


def test_a_missing_feature_and_uneven_columns_are_named():
    rows = {name: values for name, values in ROWS.items() if name != "rooms"}
    for read in (READER.matrix, READER.row):
        with pytest.raises(DataError, match="A feature is missing: 'rooms'"):
            read(rows)
    with pytest.raises(DataError, match="shop has 1 values, and others have 4"):
        READER.matrix(ROWS | {"shop": ["a"]})


def test_no_rows():
    assert READER.matrix({name: [] for name in ROWS}).shape == (0, 4)


@pytest.mark.parametrize("names", [["size", "rooms", "new"], ["new", "age", "size", "rooms"]])
def test_numbers_that_are_a_matrix_already(names):
    """In whatever order its lines are, and with more lines than the model reads."""
    kinds = {"size": "number", "rooms": "integer", "new": "boolean", "age": "number"}
    rows = ROWS | {"age": [1.0, 2.0, 3.0, 4.0], "new": [True, None, False, True]}
    numbers = np.array([rows[name] for name in names], dtype=np.float64)
    read = READER.beside({name: kinds[name] for name in names})
    np.testing.assert_array_equal(read.matrix(rows, numbers), READER.matrix(rows))


def test_numbers_that_are_not_there_or_of_another_kind():
    assert READER.beside({"size": "number", "new": "boolean"}) is None
    assert READER.beside({"size": "number", "rooms": "number", "new": "boolean"}) is None
