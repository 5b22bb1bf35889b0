from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small_packages import BINARY, ROW

from gleis.serving.ranges import Ranges
from gleis.serving.rows import RowReader

SOME_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "distance": st.floats(0, 9000),
            "temp": st.none() | st.floats(-50, 60),
            "hour": st.integers(-3, 30),
            "carrier": st.sampled_from(["AA", "UA", "ZZ"]),
        }
    ),
    min_size=1,
    max_size=8,
)


@given(SOME_ROWS)
def test_flags_are_those_found_row_by_row(rows):
    ranges = Ranges(BINARY)
    expected = RowReader(BINARY, 100).read(rows)
    numbers = ranges.numbers(expected.features)
    assert ranges.flags(expected.features, numbers) == expected.flags
    assert list(ranges.flags(expected.features, numbers)) == list(expected.flags)


def test_a_missing_number_is_nan():
    rows = RowReader(BINARY, 10).read([ROW, ROW | {"temp": None}])
    numbers = Ranges(BINARY).numbers(rows.features)
    np.testing.assert_array_equal(numbers[1], [12.5, np.nan])
