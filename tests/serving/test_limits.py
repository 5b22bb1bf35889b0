from __future__ import annotations

import math

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.checks import RequestChecks, RowCheck
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError
from gleis.contracts.features import Computed, ServedFeatures
from gleis.serving.batch.tables import Table, TableReader
from gleis.serving.lookup import relaxed
from gleis.serving.rows import RowReader
from gleis.serving.typed import TypedReader

BOUNDS = st.sampled_from(["min", "above", "max", "below", "equals", "differs"])
OF_TEMP = st.builds(
    RowCheck, column=st.just("temp"), rule=BOUNDS, value=st.integers(-3, 3)
) | st.builds(
    RowCheck,
    column=st.just("temp"),
    rule=st.sampled_from(["in", "not_in"]),
    value=st.lists(st.integers(-3, 3), min_size=1),
)
OF_CARRIER = st.sampled_from(
    [
        RowCheck(column="carrier", rule="in", value=["AA", "UA"]),
        RowCheck(column="carrier", rule="not_in", value=["ZZ"]),
        RowCheck(column="carrier", rule="matches", value="[A-Z]+"),
        RowCheck(column="carrier", rule="contains", value="^A"),
        RowCheck(column="carrier", rule="starts", value="A"),
        RowCheck(column="carrier", rule="max_length", value=2),
        RowCheck(column="carrier", rule="present"),
        RowCheck(column="temp", rule="present"),
        RowCheck(column="temp", rule="whole"),
        RowCheck(column="temp", rule="min", value=0, nulls=True),
    ]
)
ROW = st.fixed_dictionaries(
    {
        "temp": st.none() | st.sampled_from([-3.0, -1.5, 0.0, 1.0, 2.5, 3.0]),
        "carrier": st.none() | st.sampled_from(["AA", "UA", "ZZ", "a"]),
    }
)


def contract(checks, *, refuse=False, seen=(-1.0, 1.0)):
    return Contract(
        task="regression",
        features=(
            Column(name="temp", kind="number", nullable=True, low=seen[0], high=seen[1]),
            Column(name="carrier", kind="category", nullable=True, categories=("AA", "UA")),
        ),
        target="delay",
        checks=RequestChecks(rows=tuple(checks), refuse=refuse) if checks else None,
    )


def fails(check, value):
    if value is None:
        return check.nulls or check.rule == "present"
    limit = check.value
    return not {
        "min": lambda: value >= limit,
        "above": lambda: value > limit,
        "max": lambda: value <= limit,
        "below": lambda: value < limit,
        "equals": lambda: value == limit,
        "differs": lambda: value != limit,
        "in": lambda: value in limit,
        "not_in": lambda: value not in limit,
        "matches": lambda: value in ("AA", "UA", "ZZ"),
        "contains": lambda: value.startswith("A"),
        "starts": lambda: value.startswith("A"),
        "max_length": lambda: len(value) <= limit,
        "present": lambda: True,
        "whole": lambda: value == int(value),
    }[check.rule]()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(OF_TEMP | OF_CARRIER, min_size=1, max_size=3), st.lists(ROW, min_size=1, max_size=4)
)
def test_all_three_readers_find_the_same_rows(checks, rows):
    """The careful reader, the quick one and that of tables, flagging and refusing."""
    expected = {}
    for check in checks:
        at = [n for n, row in enumerate(rows) if fails(check, row[check.column])]
        if at:
            expected[check.failure] = at
    flagging = contract(checks)
    bare = {"temp: out of range", "carrier: unseen category"}
    careful = RowReader(flagging, 10).read(rows).flags
    assert {flag: at for flag, at in careful.items() if flag not in bare} == expected
    typed = TypedReader(flagging, 10)
    quick = typed.rows(typed.many(msgspec.json.encode(rows))).flags
    assert quick == careful
    refusing = contract(checks, refuse=True)
    wrong = sorted({at for places in expected.values() for at in places})
    for at, row in enumerate(rows):
        if at in wrong:
            with pytest.raises(InvalidRowError):
                RowReader(refusing, 10).read([row])
            assert TypedReader(refusing, 10).one(msgspec.json.encode(row)) is None
        else:
            assert RowReader(refusing, 10).read([row]).count == 1
            assert TypedReader(refusing, 10).one(msgspec.json.encode(row)) is not None
    columns = {name: [row[name] for row in rows] for name in ("temp", "carrier")}
    temps = np.array([math.nan if t is None else t for t in columns["temp"]])
    for table in (
        Table(columns, len(rows)),
        Table({"temp": temps, "carrier": pa.array(columns["carrier"], pa.string())}, len(rows)),
    ):
        found = TableReader(flagging).read(table)
        flags = {flag: at.tolist() for flag, at in found.flags.items()}
        assert flags == careful
        reader = TableReader(refusing)
        read = reader.read(table)
        assert read.wrong.tolist() == wrong
        assert all(": " in reason for reason in reader.reasons(table, read.wrong))


def test_a_refusal_names_row_feature_check_and_value():
    reader = RowReader(contract([RowCheck(column="temp", rule="min", value=-40)], refuse=True), 10)
    with pytest.raises(InvalidRowError) as caught:
        reader.read([{"temp": 1.0, "carrier": "AA"}, {"temp": -90.0, "carrier": "AA"}])
    assert str(caught.value).startswith("rows[1]: temp: below -40: -90.0. ")
    assert caught.value.field == "temp"


def test_what_training_saw_is_not_asked_again():
    checks = [
        RowCheck(column="temp", rule="min", value=-40),
        RowCheck(column="temp", rule="max", value=0.5),
        RowCheck(column="carrier", rule="matches", value="[A-Z]{2}"),
        RowCheck(column="gone", rule="min", value=0),
    ]
    limits = TypedReader(contract(checks), 10)._ranges.limits
    assert [limit.gate for limit in limits.limits] == [
        "temp: out of range",
        None,
        "carrier: unseen category",
    ]


def test_a_contract_without_checks_reads_as_before():
    written = msgspec.json.encode(contract(()))
    old = msgspec.json.decode(written)
    del old["checks"]
    assert msgspec.convert(old, Contract) == contract(())


def test_nobody_is_blamed_for_what_is_not_found():
    served = ServedFeatures(
        computed=(Computed(name="f", inputs=(), features=("temp",), text="def f(): ..."),)
    )
    checks = [
        RowCheck(column="temp", rule="present"),
        RowCheck(column="temp", rule="max", value=40, nulls=True),
        RowCheck(column="carrier", rule="present"),
    ]
    asked = msgspec.structs.replace(contract(checks, refuse=True), served=served)
    reader = RowReader(relaxed(asked), 10)
    assert reader.read([{"temp": None, "carrier": "AA"}]).count == 1
    for row in ({"temp": 41.0, "carrier": "AA"}, {"temp": 1.0, "carrier": None}):
        with pytest.raises(InvalidRowError):
            reader.read([row])
