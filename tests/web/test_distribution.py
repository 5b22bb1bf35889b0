from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.profile import CategorySketch, Profile
from gleis.data.profile import sketch_number
from gleis.serving.statistics.distribution import compare_profiles
from gleis.web.distribution import BARS, chart_rows

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


def compared(reference, live):
    rows = {"rows": reference.rows, "columns": {"x": reference}}
    other = {"rows": live.rows, "columns": {"x": live}}
    return compare_profiles(Profile(**rows), Profile(**other), NOON).columns[0]


def shown(rows, side):
    return {row["bin"]: row["count"] for row in rows if row["side"] == side}


@given(st.lists(st.floats(-100, 100), min_size=1), st.lists(st.floats(-300, 300), min_size=1))
def test_no_row_is_lost_or_drawn_twice(before, now):
    reference = sketch_number(before)
    column = compared(reference, sketch_number(now, reference))
    rows = chart_rows(column, "number")
    for side, total in (("reference", len(before)), ("live", len(now))):
        assert sum(row["count"] for row in rows if row["side"] == side) == total
        assert sum(row["share"] for row in rows if row["side"] == side) == pytest.approx(1)


def test_many_bins_are_drawn_as_few_and_what_lies_beyond_on_its_own():
    draw = np.random.default_rng(0)
    reference = sketch_number(draw.normal(size=5000))
    live = sketch_number(np.concatenate([draw.normal(size=50), [9.0] * 7, [np.nan] * 3]), reference)
    rows = chart_rows(compared(reference, live), "number")
    before, now = shown(rows, "reference"), shown(rows, "live")
    assert 8 <= len(before) <= BARS + 3
    assert now["missing"] == 3
    (beyond,) = (label for label in now if label.startswith("> "))
    assert (before[beyond], now[beyond]) == (0, 7)


def test_whole_numbers_and_booleans_are_called_what_they_are():
    reference = sketch_number([0, 1, 1, 2])
    assert list(shown(chart_rows(compared(reference, reference), "integer"), "live")) == [
        "0",
        "1",
        "2",
    ]
    flags = sketch_number([0, 1])
    assert list(shown(chart_rows(compared(flags, flags), "boolean"), "live")) == ["false", "true"]


def test_rare_and_unknown_categories_are_drawn_together():
    names = tuple(f"c{n:02}" for n in range(20))
    counts = tuple(range(20, 0, -1))
    reference = CategorySketch(categories=names, counts=counts, other=0, missing=0)
    live = CategorySketch(categories=names, counts=(1,) * 20, other=5, missing=2)
    rows = chart_rows(compared(reference, live), "category")
    now = shown(rows, "live")
    assert (now["others"], now["missing"], now["c00"]) == (20 - BARS + 5, 2, 1)
    assert sum(now.values()) == 27


def test_without_live_rows_only_the_reference_is_drawn():
    reference = sketch_number([1.0, 2.0])
    column = compared(reference, sketch_number([], reference))
    assert {row["side"] for row in chart_rows(column, "number")} == {"reference"}
    assert (column.psi, column.js) == (None, None)
