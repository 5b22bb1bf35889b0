from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_packages import BINARY, REGRESSION, ROW

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import GleisError
from gleis.serving.bodies import read_items
from gleis.serving.rows import RowReader
from gleis.serving.typed import TypedReader

STRANGE_NAMES = Contract(
    task="regression",
    features=(
        Column(name="a b", kind="number", low=-1.0, high=1.0),
        Column(name="id", kind="integer", nullable=True, low=0, high=9),
        Column(name="time", kind="boolean"),
        Column(name="class", kind="category", nullable=True, categories=("x", "é")),
    ),
    target="y",
    id="f0",
    time="f1",
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-3, 30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["UA", "AA", "x", "2013-07-04T12:00:00Z", "2013-07-04", "1", ""])
    | st.text(max_size=3)
    | st.just([])
)


USUAL = {
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "category": st.text(max_size=3) | st.sampled_from(["UA", "x"]),
    "boolean": st.booleans(),
}


def rows_of(contract):
    usual = {
        column.name: USUAL[column.kind] | st.none() if column.nullable else USUAL[column.kind]
        for column in contract.features
    }
    carried = {contract.id: VALUES, contract.time: VALUES}
    carried = {name: values for name, values in carried.items() if name is not None}
    expected = st.fixed_dictionaries(usual, optional=carried)
    changes = st.dictionaries(st.sampled_from([*usual, *carried, "extra"]), VALUES, max_size=2)
    return expected | st.builds(lambda row, change: row | change, expected, changes) | changes


def careful(contract, body):
    try:
        items, _ = read_items(body, "rows")
        return RowReader(contract, 10).read(items)
    except GleisError:
        return None


def fields(rows):
    return (rows.count, rows.features, rows.entities, rows.times, list(rows.flags.items()))


@pytest.mark.parametrize("contract", [BINARY, REGRESSION, STRANGE_NAMES])
def test_both_readers_find_the_same_rows(contract):
    """Whatever the quick reader takes, the careful one takes too, and reads the same."""
    reader, taken = TypedReader(contract, 10), []

    @given(st.data())
    def check(data):
        row = data.draw(rows_of(contract))
        body = json.dumps(row).encode()
        typed = reader.one(body)
        if typed is not None:
            taken.append(row)
            assert fields(reader.rows([typed])) == fields(careful(contract, body))
            kinds = [list(map(type, values)) for values in reader.rows([typed]).features.values()]
            expected = careful(contract, body).features.values()
            assert kinds == [list(map(type, values)) for values in expected]

    check()
    assert taken, "some rows are as expected"


@given(st.lists(st.sampled_from([ROW, ROW | {"hour": 40, "carrier": "ZZ"}, ROW | {"temp": None}])))
def test_many_rows_are_read_as_the_careful_reader_does(rows):
    reader = TypedReader(BINARY, 10)
    for body in (json.dumps(rows).encode(), b'{"rows":%s}' % json.dumps(rows).encode()):
        typed = reader.many(body)
        if typed is None:
            assert not 0 < len(rows) <= 10
        else:
            assert fields(reader.rows(typed)) == fields(careful(BINARY, body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"rows": [{}]}',
        json.dumps(ROW | {"hour": "late"}).encode(),
        json.dumps(ROW | {"departs_at": "soon"}).encode(),
        json.dumps(ROW | {"flight": True}).encode(),
        json.dumps({"rows": [ROW], "more": 1}).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_unusual_is_left_to_the_careful_reader(body):
    reader = TypedReader(BINARY, 10)
    assert reader.one(body) is None
    assert reader.many(body) is None


def test_an_owners_id_is_text():
    reader = TypedReader(BINARY, 10)
    for sent, kept in ((7, "7"), (7.5, "7.5"), ("AA7", "AA7"), (None, None)):
        row = reader.one(msgspec.json.encode(ROW | {"flight": sent}))
        assert reader.rows([row]).entities == [kept]
