from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.figure import Figure
from gleis.governance.figure_text import end_text, figure_text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.683, 0.672, 0.694, "0.683 (0.672 to 0.694)"),
        (0.0004, 0.0001, 0.0007, "0.00040 (0.00010 to 0.00070)"),
        (12.3456, 11.1, 13.9, "12.3 (11.1 to 13.9)"),
        (1234567.8, 1200000.0, 1300000.0, "1,234,568 (1,200,000 to 1,300,000)"),
        (0.69314718056, 0.693147180559, 0.693147180561, "0.693 (0.693 to 0.693)"),
        (-0.0, -0.0, 0.0, "0.000 (0.000 to 0.000)"),
        (1.0, 1.0, 1.0, "1.000 (1.000 to 1.000)"),
        (-0.5, -1.23, 0.24, "-0.5 (-1.2 to 0.2)"),
    ],
)
def test_digits_follow_the_interval(value, low, high, text):
    assert figure_text(Figure(value=value, low=low, high=high)) == text


@given(low=st.floats(0, 1), width=st.floats(1e-6, 1), bound=st.integers(0, 100))
def test_an_end_is_told_from_the_bound(low, width, bound):
    bound /= 100
    figure = Figure(value=low, low=low, high=low + width)
    shown = float(end_text(figure, low, bound))
    if abs(low - bound) > 1e-15:
        assert (shown > bound) == (low > bound)
        assert (shown < bound) == (low < bound)
