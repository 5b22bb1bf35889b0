from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.data.sources.records import to_rows

COLUMNS = {
    "n": "Int64",
    "x": "Float64",
    "ok": "Boolean",
    "text": "String",
    "at": "Datetime(time_unit='us', time_zone='UTC')",
}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"n": 1.5}, "n is a number; the column holds whole numbers"),
        ({"n": True}, "n is true or false"),
        ({"n": "1"}, "n is text"),
        ({"n": 1 << 63}, "does not fit into 64 bits"),
        ({"x": "2"}, "x is text"),
        ({"ok": 1}, "ok is a whole number"),
        ({"text": 1}, "text is a whole number"),
        ({"text": {"a": 1}}, "text is an object"),
        ({"at": "soon"}, "no ISO 8601 time"),
        ({"at": 5}, "at is a whole number; the column holds times"),
        ({"at": "2013-01-01T00:00:00"}, "at is a time without a zone; others have one"),
        ({"new": 1}, "new: the dataset has no such column"),
    ],
)
def test_a_record_that_does_not_fit_is_left_out_with_its_reason(record, reason):
    good = {"n": 2_000_000_000, "x": 1, "ok": True, "text": "a", "at": "2013-01-01T00:00:00Z"}
    found = to_rows([good, record, good], COLUMNS)
    assert [(one.at, reason in one.reason) for one in found.misfits] == [(1, True)]
    assert found.kept == [0, 2]
    assert found.frame["n"].to_list() == [2_000_000_000] * 2
    assert found.frame["at"].to_list() == [datetime(2013, 1, 1, tzinfo=UTC)] * 2


def test_types_are_found_where_they_are_not_known():
    found = to_rows([{"a": None, "b": 1}, {"a": "x", "b": 2.5, "c": True}, {"b": 3}])
    assert found.frame.schema == {"a": pl.String, "b": pl.Float64, "c": pl.Boolean}
    assert found.frame["c"].to_list() == [None, True, None]
    assert to_rows([{"a": [1]}]).misfits[0].reason.startswith("a is a list")


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1)),
        "x": st.one_of(st.none(), st.floats(allow_nan=False)),
        "text": st.one_of(st.none(), st.text(max_size=5)),
    },
)


@given(st.lists(FIELDS, max_size=8))
def test_records_that_fit_come_back_as_they_were(records):
    columns = {name: COLUMNS[name] for name in ("n", "x", "text")}
    found = to_rows(records, columns)
    assert found.misfits == []
    assert found.frame.to_dicts() == [{name: one.get(name) for name in columns} for one in records]
