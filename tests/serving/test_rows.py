from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError, MalformedError, TooLargeError
from gleis.serving.ranges import Ranges
from gleis.serving.rows import RowReader, join_rows
from gleis.serving.typed import TypedReader

CONTRACT = Contract(
    task="binary",
    features=(
        Column(name="distance", kind="number", low=80.0, high=5000.0, unit="miles"),
        Column(name="temp", kind="number", nullable=True, low=-10.0, high=40.0),
        Column(name="hour", kind="integer", low=0, high=23),
        Column(name="carrier", kind="category", categories=("AA", "UA")),
        Column(name="origin", kind="category", nullable=True, categories=("EWR",)),
        Column(name="holiday", kind="boolean"),
    ),
    target="late",
    classes=("0", "1"),
    id="flight",
    time="departs_at",
)
GOOD = {
    "distance": 800.0,
    "temp": None,
    "hour": 17,
    "carrier": "UA",
    "origin": "EWR",
    "holiday": False,
}


def read(*rows, max_rows=100):
    return RowReader(CONTRACT, max_rows).read(rows)


def test_rows_become_columns_in_order():
    rows = read(GOOD, GOOD | {"distance": 90, "hour": 3.0, "temp": 1})
    assert rows.count == 2
    assert list(rows.features) == list(CONTRACT.names)
    assert rows.features["distance"] == [800.0, 90.0]
    assert rows.features["hour"] == [17, 3]
    assert [type(value) for value in rows.features["distance"]] == [float, float]
    assert [type(value) for value in rows.features["hour"]] == [int, int]
    assert rows.features["temp"] == [None, 1.0]
    assert rows.entities == [None, None]
    assert rows.times == [None, None]
    assert rows.flags == {}


def test_id_and_time_are_carried():
    east = timezone(timedelta(hours=2))
    rows = read(
        GOOD | {"flight": 1545, "departs_at": "2013-07-04T12:00:00+02:00"},
        GOOD | {"flight": "UA-7", "departs_at": datetime(2013, 7, 4, 12, tzinfo=east)},
        GOOD | {"departs_at": "2013-07-04T12:00:00"},
        GOOD | {"flight": None, "departs_at": None},
    )
    assert rows.entities == ["1545", "UA-7", None, None]
    noon = datetime(2013, 7, 4, 12, tzinfo=UTC)
    assert rows.times == [noon - timedelta(hours=2), noon - timedelta(hours=2), noon, None]


def test_unusual_values_are_served_and_flagged():
    rows = read(
        GOOD,
        GOOD | {"distance": 9000.0, "carrier": "ZZ", "temp": -40.0},
        GOOD | {"distance": 79.9, "origin": "LGA"},
        GOOD | {"origin": None, "hour": 24},
    )
    assert rows.flags == {
        "distance: out of range": [1, 2],
        "temp: out of range": [1],
        "hour: out of range": [3],
        "carrier: unseen category": [1],
        "origin: unseen category": [2],
    }
    assert rows.features["carrier"][1] == "ZZ"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("distance", None),
        ("distance", True),
        ("distance", "800"),
        ("distance", float("nan")),
        ("distance", float("inf")),
        ("distance", [1.0]),
        ("distance", 10**400),
        ("temp", "cold"),
        ("temp", float("nan")),
        ("hour", 3.5),
        ("hour", True),
        ("hour", "3"),
        ("hour", None),
        ("hour", 2**63),
        ("hour", -(2**63) - 1),
        ("hour", float("nan")),
        ("hour", float("inf")),
        ("carrier", 7),
        ("carrier", None),
        ("carrier", True),
        ("carrier", {}),
        ("holiday", 1),
        ("holiday", "true"),
        ("holiday", None),
        ("departs_at", "yesterday"),
        ("departs_at", 1372939200),
        ("departs_at", "0001-01-01T00:00:00+14:00"),
        ("flight", True),
        ("flight", ["a"]),
    ],
)
def test_a_wrong_value_is_refused_with_its_place_and_remedy(field, value):
    with pytest.raises(InvalidRowError) as caught:
        read(GOOD, GOOD, GOOD | {field: value})
    assert caught.value.field == field
    assert f"rows[2]: {field}" in caught.value.what
    assert caught.value.seen is not None
    assert caught.value.remedy
    with pytest.raises(InvalidRowError, match=f"^{field} "):
        read(GOOD | {field: value})


def test_a_missing_feature_is_named_with_what_came_instead():
    row = {name: value for name, value in GOOD.items() if name != "distance"}
    with pytest.raises(
        InvalidRowError, match=r"rows\[1\]: distance is missing.*distanse"
    ) as caught:
        read(GOOD, row | {"distanse": 1})
    assert caught.value.field == "distance"


@pytest.mark.parametrize("extra", [{"late": 1}, {"flight": "a", "late": 1}, {"a": 1, "b": 2}])
def test_an_extra_feature_is_refused(extra):
    with pytest.raises(InvalidRowError, match="is not a feature") as caught:
        read(GOOD, GOOD | extra)
    assert caught.value.field in extra
    assert caught.value.field not in ("flight", "departs_at")


@pytest.mark.parametrize("row", [None, 3, "row", [1, 2], ["distance"]])
def test_a_row_that_is_no_object_is_refused(row):
    with pytest.raises(InvalidRowError, match=r"rows\[1\]"):
        read(GOOD, row)


def test_no_row_and_too_many_rows():
    with pytest.raises(MalformedError):
        read()
    with pytest.raises(TooLargeError, match="2"):
        read(GOOD, GOOD, GOOD, max_rows=2)


def test_numpy_scalars_from_python_callers_become_python_values():
    rows = read(GOOD | {"distance": np.float32(90), "temp": np.float64(1), "hour": np.int64(4)})
    assert rows.features["distance"] == [90.0]
    assert type(rows.features["temp"][0]) is float
    assert type(rows.features["hour"][0]) is int


def test_a_time_that_is_also_a_feature_is_read_as_the_feature():
    contract = Contract(
        task="regression",
        features=(Column(name="t", kind="number"),),
        target="y",
        id="t",
        time="t",
    )
    rows = RowReader(contract, 5).read([{"t": 3.5}])
    assert rows.features == {"t": [3.5]}
    assert rows.times == [None]
    assert rows.entities == ["3.5"]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.none())
)


MOSTLY = {
    "distance": st.floats(-1e9, 1e9) | st.integers(-(10**20), 10**20),
    "temp": st.none() | st.floats(-50, 50),
    "hour": st.integers(-5, 30) | st.just(4.0),
    "carrier": st.sampled_from(["AA", "UA", "ZZ", ""]),
    "origin": st.sampled_from(["EWR", "LGA", None]),
    "holiday": st.booleans(),
}
ROWS = st.fixed_dictionaries(MOSTLY) | st.builds(
    lambda row, name, value: row | {name: value},
    st.fixed_dictionaries(MOSTLY),
    st.sampled_from(CONTRACT.names),
    VALUES,
)


@given(st.lists(ROWS, min_size=1))
def test_whatever_comes_is_refused_or_fits_the_contract(rows):
    """Reading many rows says what reading each alone says."""
    refused = 0
    for row in rows:
        try:
            read(row)
        except InvalidRowError:
            refused += 1
    try:
        found = RowReader(CONTRACT, 1000).read(rows)
    except InvalidRowError:
        assert refused
        return
    assert not refused
    for column in CONTRACT.features:
        kind = {"number": float, "integer": int, "category": str, "boolean": bool}[column.kind]
        for value in found.features[column.name]:
            assert (value is None and column.nullable) or type(value) is kind
    for positions in found.flags.values():
        assert positions
        assert all(0 <= position < len(rows) for position in positions)


def test_numbers_follow_their_rows():
    """Taken apart and joined again, the matrix still holds what the columns say."""
    typed, numeric = TypedReader(CONTRACT, 10), Ranges(CONTRACT)
    row = {"hour": 7, "carrier": "AA", "origin": None, "holiday": True}
    parts = [
        typed.rows([typed.one(json.dumps(row | {"distance": 100 * at, "temp": temp}).encode())])
        for at, temp in enumerate([None, 1.5, -2, None])
    ]
    joined = join_rows(parts)
    expected = numeric.numbers(joined.features)
    np.testing.assert_array_equal(joined.numbers, expected)
    np.testing.assert_array_equal(joined.take([1, 3]).numbers, expected[:, [1, 3]])
    plain = RowReader(CONTRACT, 10).read([row | {"distance": 1.0, "temp": 2.0}])
    assert join_rows([*parts, plain]).numbers is None, "it has none to join"
