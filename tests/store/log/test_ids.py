from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.store.log.ids import format_id, parse_id


@given(
    st.integers(1, 10**18 - 1),
    st.integers(0, 10**9 - 1),
    st.text("0123456789abcdef", min_size=8, max_size=8),
)
def test_there_and_back(seq, position, token):
    assert parse_id(format_id(seq, position, token)) == (seq, position, token)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1-0", "0-0-5ca1ab1e", "01-0-5ca1ab1e", "1-00-5ca1ab1e", "1-0-5CA1AB1E",
     "1-0-5ca1ab1e ", "1-0-5ca1ab1e\n", "-1-0-5ca1ab1e", "1-0-5ca1ab1", "9" * 30 + "-0-5ca1ab1e"],
)  # fmt: skip
def test_what_no_log_gave_out(text):
    assert parse_id(text) is None
