from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gleis.contracts.clock import SimulatedClock
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError, ProjectError, StoreError
from gleis.contracts.features import Computed, KnownRow, ServedFeatures, ViewUse
from gleis.serving.lookup import LACKING, Lookups, relaxed
from gleis.store.online.rows import encode_row
from gleis.store.online.sqlite_store import SqliteOnlineStore

NOON = datetime(2024, 7, 4, 12, tzinfo=UTC)
WEATHER = ViewUse(
    view="weather_now",
    source="weather",
    entity=(("place", "station"), ("sensor", "sensor")),
    features=("wind", "unused", "temp"),
    time="at",
    module="trips",
    ttl=7200.0,
    code="c" * 64,
)
CROSSWIND = Computed(
    name="crosswind",
    inputs=(("wind", "number"), ("distance", "number"), ("at", "moment"), ("sky", "category")),
    features=("wind_km", "dry"),
    text="def crosswind(w, d, at, sky):\n"
    "    return {'wind_km': w * d + 0 * at, 'dry': sky == 'clear'}",
)
CONTRACT = Contract(
    task="regression",
    features=(
        Column(name="distance", kind="number"),
        Column(name="wind", kind="number"),
        Column(name="temp", kind="number", nullable=True),
        Column(name="wind_km", kind="number", nullable=True),
        Column(name="dry", kind="boolean"),
    ),
    target="delay",
    id="trip",
    time="at",
    served=ServedFeatures(views=(WEATHER,), computed=(CROSSWIND,)),
)
ROW = {"trip": 7, "station": "A", "sensor": 1, "distance": 2.0, "sky": "clear", "at": NOON}


def micros(moment):
    return round(moment.timestamp() * 1e6)


def known(minutes_ago, *values, since=0):
    at = NOON - timedelta(minutes=minutes_ago)
    return encode_row(KnownRow(micros(at), micros(at + timedelta(minutes=since)), values))


@pytest.fixture
def store(tmp_path):
    store = SqliteOnlineStore(tmp_path / "features.db")
    rows = {
        "A\x1f1": known(60, 5.0, "x", None),
        "B\x1f1": known(121, 5.0, "x", 1.0),
        "C\x1f1": known(60, 5.0, "x", 1.0, since=61),
        "D\x1f1": known(60, None, "x", 1.0),
    }
    store.replace(WEATHER.stored, rows)
    yield store
    store.close()


@pytest.fixture
def lookups(store):
    return Lookups(CONTRACT, store, SimulatedClock(NOON))


def test_what_is_left_out_is_looked_up_and_computed(lookups):
    done = lookups.complete([ROW, {**ROW, "sensor": "1", "sky": None}])
    assert done.rows[0] == {
        "trip": 7, "distance": 2.0, "at": NOON,
        "wind": 5.0, "temp": None, "wind_km": 10.0, "dry": True,
    }  # fmt: skip
    assert done.rows[1] == {**done.rows[0], "dry": False}
    assert done.flags == {}


def test_what_is_given_wins_and_asks_nobody(lookups, store):
    full = {"trip": 7, "distance": 2.0, "wind": 1.0, "temp": None, "wind_km": None, "dry": True}
    store.close()
    assert lookups.complete([full]).rows == [full]
    part = lookups.complete([{**ROW, "wind": 1.0, "temp": 3.0}]).rows[0]
    assert (part["wind"], part["temp"], part["wind_km"]) == (1.0, 3.0, 2.0)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"station": "Z"}, "unknown"),
        ({"station": None}, "unknown"),
        ({"station": "B"}, "too old"),
        ({"station": "C"}, "not known then"),
        ({"at": "2024-07-04T10:59:59Z"}, "not known then"),
        ({"at": NOON + timedelta(minutes=61)}, "too old"),
    ],
)
def test_what_cannot_be_used_is_null_and_flagged(lookups, row, why):
    done = lookups.complete([ROW, {**ROW, **row}])
    assert done.flags == {f"weather_now: {why}": [1], LACKING: [1]}
    assert done.rows[1]["wind"] is done.rows[1]["temp"] is done.rows[1]["wind_km"] is None


def test_the_ttl_and_the_moment_are_exact(lookups):
    assert not lookups.complete([{**ROW, "at": NOON + timedelta(minutes=60)}]).flags
    assert not lookups.complete([{**ROW, "at": NOON - timedelta(minutes=60)}]).flags
    # Without a time of its own a row is of now; the function on demand needs one.
    given = {name: value for name, value in ROW.items() if name != "at"}
    assert lookups.complete([given | {"wind_km": 1.0, "dry": True}]).rows[0]["wind"] == 5.0


def test_only_a_gap_that_training_never_saw_keeps_the_model_from_answering(lookups, store):
    done = lookups.complete([ROW, {**ROW, "station": "D"}])
    assert done.rows[0]["temp"] is None
    assert done.flags == {LACKING: [1]}
    always = Lookups(CONTRACT, store, SimulatedClock(NOON), always=True)
    flagged = always.complete([{**ROW, "station": "Z"}]).flags
    assert flagged == {"weather_now: unknown": [0], LACKING: [0]}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"station": ...}, "station is missing. Send it: weather_now is looked up by it"),
        ({"station": 1.5}, r"station names no entity: 1\.5"),
        ({"station": ["A"]}, "station names no entity"),
        ({"sky": ...}, "sky is missing. Send it: crosswind is computed from it"),
        ({"sky": 3}, "sky must be a text: 3"),
        ({"distance": "far"}, "distance must be a number: 'far'"),
        ({"at": "soon"}, "at is not a time: 'soon'"),
        ({"wind": None}, r"wind must not be null\. Leave it out"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(lookups, row, said):
    wrong = {name: value for name, value in {**ROW, **row}.items() if value is not ...}
    with pytest.raises(InvalidRowError, match=said):
        lookups.complete([wrong])
    with pytest.raises(InvalidRowError, match=rf"rows\[1\]: {said}"):
        lookups.complete([ROW, wrong])
    with pytest.raises(InvalidRowError, match="a row is an object"):
        lookups.complete([3])


class Failing:
    near = False

    def __init__(self):
        self.asked = 0

    def look_up(self, table, keys):
        self.asked += 1
        raise StoreError("it is down")


def test_a_store_that_is_down_is_flagged_and_left_alone_for_a_while():
    store = Failing()
    lookups = Lookups(CONTRACT, store, SimulatedClock(NOON))
    for _ in range(3):
        done = lookups.complete([ROW])
        assert done.flags == {"weather_now: unavailable": [0], LACKING: [0]}
        assert done.rows[0]["wind"] is None
    assert store.asked == 1
    assert not lookups.near


def test_a_function_that_fails_is_flagged():
    failing = Computed(
        name="f", inputs=(("x", "category"),), features=("y",), text="def f(x): return {'y': x + 1}"
    )
    column = Column(name="y", kind="number", nullable=True)
    contract = Contract(
        task="regression",
        features=(column,),
        target="t",
        served=ServedFeatures(computed=(failing,)),
    )
    done = Lookups(contract, Failing(), SimulatedClock(NOON)).complete([{"x": "a"}])
    assert done.rows == [{"y": None}]
    assert done.flags == {"f: failed": [0]}


def test_a_package_cannot_bring_code_along():
    evil = Computed(
        name="f", inputs=(("x", "number"),), features=("y",), text="import os\ndef f(x): return {}"
    )
    contract = Contract(
        task="regression", features=(), target="t", served=ServedFeatures(computed=(evil,))
    )
    with pytest.raises(ProjectError, match="import os"):
        Lookups(contract, Failing(), SimulatedClock(NOON))


def test_only_what_is_served_may_be_missing():
    nullable = {column.name for column in relaxed(CONTRACT).features if column.nullable}
    assert nullable == {"wind", "temp", "wind_km", "dry"}
