from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_packages import BINARY, sample_rows

from gleis.data.profile import merge, profile
from gleis.serving.ranges import Ranges
from gleis.serving.rows import RowReader
from gleis.serving.sketches import Sketches

RANGES = Ranges(BINARY)
REFERENCE = profile(pl.DataFrame(sample_rows(BINARY, 500)[0]), BINARY.names)


def sketch(parts, matrix=False):
    kept = {}

    def cells(count):
        return kept.setdefault("block", np.zeros(count))

    reader = RowReader(BINARY, 10_000)
    for columns in parts:
        rows = [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
        read = reader.read(rows)
        if matrix:
            read = msgspec.structs.replace(read, numbers=RANGES.numbers(read.features))
        Sketches(REFERENCE, cells, RANGES.numeric).add(read)
    return Sketches(REFERENCE, cells).profile()


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(0, 9)), min_size=1, max_size=4),
    st.booleans(),
)
def test_they_are_what_profiling_all_rows_gives(sizes, matrix):
    """Whatever turns the rows came in, and however many they were."""
    parts = [sample_rows(BINARY, count, seed)[0] for count, seed in sizes]
    parts[0]["carrier"][0] = "ZZ"
    parts[0]["distance"][0] = 1e6
    found = sketch(parts, matrix)
    frame = pl.concat([pl.DataFrame(part, schema_overrides={"temp": pl.Float64}) for part in parts])
    expected = profile(frame, BINARY.names, like=REFERENCE)
    assert found.rows == expected.rows
    for name, one in expected.columns.items():
        assert found.columns[name].counts == one.counts
        assert found.columns[name].missing == one.missing
        if name == "carrier":
            assert found.columns[name].other == one.other
        else:
            assert found.columns[name].mean == pytest.approx(one.mean, rel=1e-9)
            assert found.columns[name].m2 == pytest.approx(one.m2, rel=1e-6)


def test_they_merge_with_the_reference():
    merged = merge(REFERENCE, sketch([sample_rows(BINARY, 40, 3)[0]]))
    assert merged.rows == 540
    assert sum(merged.columns["distance"].counts) == 540


def test_nothing_seen_yet():
    empty = sketch([])
    assert empty.rows == 0
    assert empty.columns["distance"].mean == 0.0
