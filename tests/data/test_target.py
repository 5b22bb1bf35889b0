from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError
from gleis.data.target import (
    class_labels,
    decode_class,
    encode_target,
    label_to_target,
    sorted_classes,
)


def contract(*classes, task="multiclass"):
    return Contract(task=task, features=(), target="y", classes=classes or None)


NUMBERS = contract("0", "1", task="binary")
BOOLEANS = contract("false", "true", task="binary")
WORDS = contract("no", "yes", task="binary")
VALUE = contract(task="regression")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([10, 9, 10, None], ("9", "10")),
        ([1.0, 0.0, None], ("0", "1")),
        ([True, False], ("false", "true")),
        (["b", "a", "B"], ("B", "a", "b")),
        ([-1, 1], ("-1", "1")),
    ],
)
def test_classes_are_sorted_by_their_own_order(values, classes):
    assert sorted_classes(pl.Series("y", values)) == classes


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "1.0", "true", "True", " 1 "])
@pytest.mark.parametrize("classes", [NUMBERS, BOOLEANS, contract("False", "True")])
def test_ways_of_writing_one_class(value, classes):
    assert label_to_target(value, classes) == 1


def test_exact_text_comes_first():
    odd = contract("1", "1.0", "true")
    assert [label_to_target(text, odd) for text in ("1", "1.0", "true")] == [0, 1, 2]
    with pytest.raises(DataError, match="none of its classes: 1"):
        label_to_target(1, odd)


@pytest.mark.parametrize(
    ("value", "classes", "named"),
    [
        (2, NUMBERS, "y is none of its classes: 2.*0, 1"),
        ("maybe", WORDS, "'maybe'.*no, yes"),
        (True, WORDS, "True.*no, yes"),
        (0.5, NUMBERS, "0.5"),
        (float("nan"), NUMBERS, "nan"),
        ("abc", VALUE, "no finite number: 'abc'"),
        (True, VALUE, "no finite number: True"),
        (float("inf"), VALUE, "no finite number: inf"),
    ],
)
def test_unknown_labels_name_value_and_classes(value, classes, named):
    with pytest.raises(DataError, match=named):
        label_to_target(value, classes)


def test_values():
    assert label_to_target("2.5", VALUE) == 2.5
    assert label_to_target(3, VALUE) == 3.0


@given(st.lists(st.integers(-50, 50), min_size=1))
def test_encoding_and_later_labels_agree_and_decode(values):
    series = pl.Series("y", values)
    classes = contract(*sorted_classes(series))
    codes = encode_target(series, classes)
    assert codes.dtype == np.int64
    assert [int(decode_class(code, classes)) for code in codes] == values
    assert [label_to_target(value, classes) for value in values] == codes.tolist()
    floats = encode_target(series.cast(pl.Float64), classes)
    assert np.array_equal(codes, floats)


def test_encode_regression():
    codes = encode_target(pl.Series("y", [1, 2], dtype=pl.Int32), VALUE)
    assert codes.dtype == np.float64
    assert codes.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "classes", "named"),
    [
        (["a", "c"], contract("a", "b"), "y is none of its classes: 'c'.*a, b"),
        ([1, None], NUMBERS, "missing in 1 rows"),
        (["a"], VALUE, "no number: 'String'"),
        ([0.5], NUMBERS, "fractions: 0.5"),
    ],
)
def test_targets_that_cannot_be_encoded(values, classes, named):
    with pytest.raises(DataError, match=named):
        encode_target(pl.Series("y", values), classes)


def test_unknown_position():
    with pytest.raises(DataError, match="among 2: 2"):
        decode_class(2, NUMBERS)


def test_times_are_no_classes():
    with pytest.raises(DataError, match=r"Target y is no class: .Duration"):
        class_labels(pl.Series("y", [1], dtype=pl.Duration))
