"""Whole columns are judged as single values are: ``Field`` is the oracle."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.contract import Column
from gleis.contracts.errors import InvalidRowError
from gleis.serving.batch.arrays import ArrayField
from gleis.serving.fields import Field

FLOATS = st.one_of(st.floats(width=64), st.integers(-20, 20).map(float))
INTEGERS = st.one_of(st.integers(-20, 20), st.integers(-(2**63), 2**63 - 1))
TEXTS = st.sampled_from(["AA", "UA", "ZZ", ""])


def columns(kind):
    nullable = st.booleans()
    if kind in ("number", "integer"):
        edges = st.sampled_from([(None, None), (-10.0, 10.0), (0.0, 0.0)])
        return st.builds(
            lambda null, ends: Column(
                name="x", kind=kind, nullable=null, low=ends[0], high=ends[1]
            ),
            nullable,
            edges,
        )
    known = st.sampled_from([None, ("AA", "UA")]) if kind == "category" else st.none()
    return st.builds(
        lambda null, seen: Column(name="x", kind=kind, nullable=null, categories=seen),
        nullable,
        known,
    )


def judge(column, values):
    """Return what ``Field`` says of values, one by one: wrong and flagged positions, values."""
    wrong, flagged, read = [], [], []
    for position, value in enumerate(values):
        flags: dict[str, list[int]] = {}
        missing = isinstance(value, float) and math.isnan(value)
        try:
            read += Field(column).read([None if missing else value], flags)
        except InvalidRowError:
            wrong.append(position)
            read.append(...)
        if flags:
            flagged.append(position)
    return wrong, flagged, read


def agree(column, given_values, values):
    found = ArrayField(column).read(given_values)
    wrong, flagged, read = judge(column, values)
    assert found.wrong.tolist() == wrong
    assert [at for at in found.flagged.tolist() if at not in wrong] == flagged
    handed = found.values.tolist() if isinstance(found.values, np.ndarray) else found.values
    for mine, theirs in zip(handed, read, strict=True):
        if theirs is None:
            assert mine is None or math.isnan(mine)
        elif theirs is not ...:
            assert mine == theirs


@given(st.data())
@pytest.mark.parametrize("kind", ["number", "integer", "category", "boolean"])
@pytest.mark.parametrize("values", [FLOATS, INTEGERS, TEXTS, st.booleans()])
def test_arrays_of_one_type_are_judged_as_single_values_are(kind, values, data):
    column = data.draw(columns(kind))
    plain = data.draw(st.lists(values, max_size=8))
    agree(column, np.array(plain) if plain else np.empty(0), plain)
    sparse = data.draw(st.lists(st.one_of(st.none(), values), max_size=8))
    agree(column, sparse, sparse)
    arrow = pa.array(sparse, from_pandas=False)
    agree(column, arrow, sparse)
    agree(column, pa.chunked_array([arrow.slice(0, 3), arrow.slice(3)]), sparse)
    if sparse:
        agree(column, arrow.dictionary_encode(), sparse)


@given(
    st.lists(st.one_of(st.none(), FLOATS, INTEGERS, TEXTS, st.booleans()), max_size=8), st.data()
)
@pytest.mark.parametrize("kind", ["number", "integer", "category", "boolean"])
def test_mixed_lists_are_judged_value_by_value(kind, values, data):
    column = data.draw(columns(kind))
    agree(column, values, values)
    agree(column, np.array([*values, None], dtype=object)[:-1], values)


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint8(), pa.uint64(), pa.float32()])
def test_narrow_numbers_are_numbers(kind):
    column = Column(name="x", kind="number", nullable=True, low=0, high=5)
    found = ArrayField(column).read(pa.array([1, None, 9], kind))
    assert found.flagged.tolist() == [2]
    np.testing.assert_array_equal(found.values, [1.0, np.nan, 9.0])


def test_large_whole_numbers_stay_exact_beside_nulls():
    column = Column(name="x", kind="integer", nullable=True)
    found = ArrayField(column).read(pa.array([2**53 + 1, None], pa.int64()))
    assert found.values == [2**53 + 1, None]


def test_whole_numbers_over_64_bits_are_wrong():
    column = Column(name="x", kind="integer")
    assert ArrayField(column).read(pa.array([2**63, 1], pa.uint64())).wrong.tolist() == [0]


def test_decimals_are_numbers():
    column = Column(name="x", kind="number", nullable=True)
    found = ArrayField(column).read(pa.array([None, 1], pa.decimal128(9, 2)))
    np.testing.assert_array_equal(found.values, [np.nan, 1.0])
