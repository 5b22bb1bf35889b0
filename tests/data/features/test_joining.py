from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

import gleis
from gleis.config.data_settings import DatasetSettings
from gleis.contracts.dataset import Provenance
from gleis.contracts.errors import ConfigError, DataError, GleisError, ProjectError
from gleis.data.beside import tables_open
from gleis.data.dataset import Datasets
from gleis.data.features.view import FeatureView

NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)


def hours(*offsets):
    return pl.Series([NOON + timedelta(hours=h) for h in offsets], dtype=pl.Datetime("us", "UTC"))


WEATHER = pl.DataFrame(
    {
        "station": ["JFK", "JFK", "LGA", "JFK"],
        "observed": hours(0, 1, 1, 0),
        "received": hours(1, 2, 2, 6),  # the last one corrects the first
        "temp": [5.0, 6.0, 9.0, 50.0],
    }
)
FLIGHTS = pl.DataFrame(
    {
        "flight": [1, 2, 3, 4],
        "origin": ["JFK", "LGA", "EWR", "JFK"],
        "at": hours(1.5, 2, 2, 7),
        "distance": [10.0, 20.0, 30.0, 40.0],
    }
)


@gleis.feature_view(source="weather", entity="station", ttl="4h")
def weather_now(rows):
    return rows.select("station", "observed", "received", (pl.col("temp") * 2).alias("warmth"))


@gleis.on_demand
def warmth_by_distance(warmth, distance, at):
    return {"relative": warmth / distance, "hour": np.mod(at / 3600, 24)}


@pytest.fixture
def opened(home, make_settings, clock):
    beside = {
        "weather": DatasetSettings(time="observed", known="received"),
        "bare": DatasetSettings(),
        "empty": DatasetSettings(time="observed"),
    }
    settings = msgspec.structs.replace(make_settings(time="at"), datasets=beside)
    stamp = Provenance(
        source="hand", since=None, until=None, loaded_at=NOON, loaded_by="me", code="c"
    )
    for name in ("weather", "bare"):
        Datasets(home, settings, clock, name).append(WEATHER, stamp)
    with tables_open(home, settings) as tables:
        yield tables


def join(views, rows=FLIGHTS, **how):
    return gleis.join_features(
        rows, views, **{"time": "at", "entity": {"station": "origin"}, **how}
    )


def test_rows_get_what_was_known_at_their_time(opened):
    found = join([weather_now, warmth_by_distance])
    assert found.columns == [*FLIGHTS.columns, "warmth", "relative", "hour"]
    assert found.select(FLIGHTS.columns).equals(FLIGHTS)
    # 1: the first hour, known at 1. 3: no station. 4: the newest is six hours old.
    assert found["warmth"].to_list() == [10.0, 18.0, None, None]
    assert found["relative"].to_list() == [1.0, 0.9, None, None]
    assert found["hour"].to_list() == [13.5, 14.0, 14.0, 19.0]


def test_what_was_joined_is_remembered(opened):
    join([weather_now, warmth_by_distance])
    join([weather_now, warmth_by_distance])
    (use,), (computed,) = opened.features.views, opened.features.computed
    assert (use.view, use.source, use.entity) == (
        "weather_now",
        "weather",
        (("station", "origin"),),
    )
    assert (use.features, use.time, use.ttl) == (("warmth",), "at", 14400.0)
    assert computed.inputs == (("warmth", "number"), ("distance", "number"), ("at", "moment"))
    assert opened.features.fields == ("origin", "distance", "at")
    assert opened.read == ("weather@v1",)


def test_pandas_comes_in_and_the_function_stays_callable(opened):
    assert join([weather_now], FLIGHTS.to_pandas())["warmth"][0] == 10.0
    assert weather_now(WEATHER)["warmth"].to_list() == [10.0, 12.0, 18.0, 100.0]


def test_no_rows_and_no_time(opened):
    assert join([weather_now], FLIGHTS.clear()).columns == [*FLIGHTS.columns, "warmth"]
    with pytest.raises(ProjectError, match=r"weather_now: gleis\.join_features needs time"):
        join([weather_now], time=None)


def view(function, **how):
    return FeatureView(function, **{"source": "weather", "entity": ("station",), **how})


def everything(rows):
    return rows


@pytest.mark.parametrize(
    ("views", "how", "kind", "said"),
    [
        (["weather_now"], {}, ProjectError, "Give the function itself"),
        ([weather_now, weather_now], {}, DataError, "already: 'warmth'"),
        ([weather_now], {"entity": {}}, DataError, "no column of this name: 'station'"),
        ([weather_now], {"time": "departs"}, DataError, "no column of this name: 'departs'"),
        ([weather_now], {"time": "distance"}, DataError, "holds Float64, not times"),
        ([weather_now], {"entity": {"station": "flight"}}, DataError, "Make both text"),
        ([warmth_by_distance], {}, DataError, "no column of this name: 'warmth'"),
        ([view(everything, source="wether")], {}, GleisError, "Did you mean weather"),
        ([view(everything, source="empty")], {}, DataError, "everything: The dataset has no rows"),
        ([view(everything, source="bare")], {}, ConfigError, r"datasets\.bare\.time"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(opened, views, how, kind, said):
    with pytest.raises(kind, match=said):
        join(views, **how)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["observed", "received", "temp"], "returns no column station, which names"),
        (["station", "observed", "temp"], "returns no column received"),
        (["station", "observed", "received"], "returns no feature"),
        ([pl.col("station").is_null(), "observed", "received", "temp"], "named by text or int"),
        (["station", pl.col("observed").cast(pl.Int64), "received", "temp"], "Int64, not times"),
        (["station", "observed", "received", pl.duration(hours=1)], "a type no model takes"),
        (["nowhere"], "chosen failed: ColumnNotFoundError"),
    ],
)
def test_what_a_view_returns_is_looked_at(opened, columns, said):
    def chosen(rows):
        return rows.select(columns)

    with pytest.raises(GleisError, match=said):
        join([view(chosen)])


def test_a_view_must_return_a_table(opened):
    def forgetful(rows):
        rows.select("station")

    with pytest.raises(ProjectError, match="forgetful must return a table: 'NoneType'"):
        join([view(forgetful)])


def test_a_view_that_is_written_wrong():
    with pytest.raises(ConfigError, match="everything: ttl is not a duration: '2 hours'"):
        gleis.feature_view(source="weather", entity="station", ttl="2 hours")(everything)
    with pytest.raises(ConfigError, match="ttl"):
        gleis.feature_view(source="weather", entity="station", ttl="0s")(everything)
    with pytest.raises(ProjectError, match="names no entity"):
        gleis.feature_view(source="weather", entity=[])
    with pytest.raises(ProjectError, match="stands above a function"):
        gleis.feature_view(source="weather", entity="station")(3)


def test_nothing_is_joined_outside_of_a_project():
    with pytest.raises(ProjectError, match=r"gleis\.join_features was called outside"):
        join([weather_now])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "names no dataset"),
        ({"source": "w", "entity": []}, "names no entity"),
        ({"source": "w", "entity": ["a", "a"]}, "one column twice: .*'a', 'a'"),
        ({"source": "w", "entity": "a", "ttl": 3}, "everything: ttl is not a duration: '3'"),
        ({"source": "w", "entity": "a", "ttl": timedelta(0)}, "ttl lets no row be used"),
    ],
)
def test_a_decorator_that_is_wrong_says_how_it_is_written(how, said):
    with pytest.raises(GleisError, match=said):
        gleis.feature_view(**how)(everything)
    with pytest.raises(ProjectError, match="names no dataset: <function everything"):
        gleis.feature_view(everything)


def test_a_view_that_polars_refuses_is_one_sentence(opened):
    def lacking(rows):
        return rows.select("station", "snow")

    with pytest.raises(ProjectError, match="lacking failed: ColumnNotFoundError") as refused:
        join([view(lacking)])
    assert "\n" not in str(refused.value)


def test_outside_of_a_project_it_is_said_how_a_program_joins():
    with pytest.raises(ProjectError, match=r"\.data\.features\.join\(rows, views"):
        join([weather_now])
