from __future__ import annotations

import dataclasses

import msgspec
import polars as pl
import pytest

from evidence.leakage.planted_leaks import honest, settings_of, sides_of
from gleis.contracts.features import ServedFeatures, ViewUse
from gleis.evidence.leakage.late import find_late_features


def found(available_at, rows=None, **keywords):
    settings = settings_of(time="at", available_at=available_at, **keywords)
    return find_late_features(sides_of(timed() if rows is None else rows, settings), settings)


def timed():
    at = pl.int_range(pl.len()) * 60_000_000
    return honest().with_columns(
        at=at.cast(pl.Datetime("us", "UTC")),
        known=(
            at + pl.when(pl.int_range(pl.len()) % 4 == 0).then(3_600_000_000).otherwise(-1)
        ).cast(pl.Datetime("us", "UTC")),
    )


def test_a_delay_is_a_certain_leak():
    (leak,) = found({"x0": "6h", "x1": "0s"}).leaks
    assert (leak.kind, leak.column, leak.certain) == ("late", "x0", True)
    assert "6h after the event" in leak.reason


def test_rows_whose_moment_is_later_than_the_event():
    (leak,) = found({"x0": "known"}).leaks
    assert "300 of 1,200 (25.0%) rows" in leak.reason
    assert "1:00:00" in leak.reason


def test_in_time():
    rows = timed().with_columns(known=pl.col("at"))
    assert found({"x0": "known"}, rows).leaks == ()
    assert found({"x0": "known"}, rows).checked == (
        "Known in time, as features.available_at says: x0.",
    )
    assert found({"x0": "at"}).leaks == ()


def test_a_naive_moment_is_utc():
    rows = timed().with_columns(known=pl.col("known").dt.replace_time_zone(None))
    assert "300 of" in found({"x0": "known"}, rows).leaks[0].reason


def test_moments_that_are_missing_are_said():
    rows = timed().with_columns(known=pl.when(pl.int_range(pl.len()) % 3 > 0).then(pl.col("at")))
    (said,) = found({"x0": "known"}, rows).unchecked
    assert "known is null in 400 of 1,200" in said


def test_what_is_no_feature_may_be_late():
    assert found({"x0": "6h"}, exclude=("x0",)).leaks == ()


@pytest.mark.parametrize("excluded", [(), ("x1",)])
def test_nothing_is_said_where_nothing_was_declared(excluded):
    assert found({}, exclude=excluded) == type(found({}))()


def joined(time, rows=None):
    settings = settings_of(time="at")
    sides = sides_of(timed() if rows is None else rows, settings)
    use = ViewUse(
        view="weather_now",
        source="weather",
        entity=(("station", "origin"),),
        features=("x0", "x1"),
        time=time,
        module="p",
    )
    contract = msgspec.structs.replace(sides.contract, served=ServedFeatures(views=(use,)))
    return find_late_features(dataclasses.replace(sides, contract=contract), settings)


def test_features_of_a_view_are_as_late_as_the_moment_it_was_joined_at():
    assert joined("at").leaks == ()
    assert joined("at").checked == (
        "Known in time by construction: x0, x1, which weather_now joined with what was known at "
        "at.",
    )
    (leak,) = joined("known").leaks
    assert (leak.kind, leak.column, leak.certain) == ("late", "x0", True)
    assert "x0, x1: weather_now was joined with what was known at known" in leak.reason
    assert "300 of 1,200 (25.0%) rows" in leak.reason
    assert "which load does not return" in joined("arrives").unchecked[0]
