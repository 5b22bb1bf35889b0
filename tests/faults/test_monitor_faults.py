"""What reaches the monitors when something upstream breaks, and what they say about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError
from gleis.contracts.profile import Reference, Seasons
from gleis.data.profile import profile, sketch_number
from gleis.data.season import count_seasons
from gleis.evidence.losses import row_loss
from gleis.monitoring.watch import Watch
from gleis.serving.batch.tables import TableReader
from gleis.serving.rows import RowReader
from monitoring.matches import logged

START = datetime(2013, 4, 1, tzinfo=UTC)
CONTRACT = Contract(
    task="binary",
    features=(
        Column(name="temp", kind="number", nullable=True),
        Column(name="carrier", kind="category"),
    ),
    target="late",
    classes=("0", "1"),
)
ROWS = 100


def features(rng, n):
    carriers = np.array(["AA", "UA"])[rng.integers(0, 2, n)].tolist()
    return {"temp": rng.normal(38, 10, n).round(1).tolist(), "carrier": carriers}


@pytest.fixture(scope="module")
def reference():
    rng = np.random.default_rng(0)
    rows, scores = features(rng, 8000), rng.beta(2, 6, 8000)
    stamps = START.timestamp() - 3600.0 * np.arange(8000) / 4
    loss = row_loss((rng.random(8000) < scores).astype(int), scores, "binary")
    found = Reference(
        features=profile(pl.DataFrame(rows), ["temp", "carrier"]),
        scores=profile(pl.DataFrame({"score": scores}), ["score"]),
        loss=sketch_number(loss),
    )
    losses = msgspec.structs.replace(found.scores, columns={"loss": found.loss})
    seasons = Seasons(
        features=count_seasons(found.features, rows, stamps, "week"),
        scores=count_seasons(found.scores, {"score": scores}, stamps, "week"),
        loss=count_seasons(losses, {"loss": loss}, stamps, "week"),
    )
    return msgspec.structs.replace(found, seasons=seasons)


def make(reference, block=None, season=None):
    triggers = TriggerSettings(
        drift=DriftTrigger(block=block), performance=PerformanceTrigger(block=block)
    )
    return Watch(reference, CONTRACT, triggers, version=3, now=START, season=season)


def day(rng, number, at=None, **changed):
    """A hundred rows of a day, one every quarter of an hour."""
    batch = logged(number, features(rng, ROWS) | changed, rng.beta(2, 6, ROWS).tolist())
    begins = at or START + timedelta(days=number)
    times = [begins + timedelta(minutes=14 * i) for i in range(ROWS)]
    answer = msgspec.structs.replace(batch.batch, at=begins, times=times)
    return msgspec.structs.replace(batch, batch=answer)


def astray(batch, every, by):
    """Let the clocks of some devices be off."""
    times = list(batch.batch.times)
    times[::every] = [by for _ in times[::every]]
    return msgspec.structs.replace(batch, batch=msgspec.structs.replace(batch.batch, times=times))


FAR = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2099, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize(("block", "season"), [(None, None), ("1d", None), ("1d", "week")])
def test_devices_whose_clocks_are_years_off_change_nothing(reference, far, block, season):
    rng, watch, alarms = np.random.default_rng(1), make(reference, block, season), []
    for number in range(12):
        alarms += watch.observe([astray(day(rng, number), 9, far)], [], START)
    assert alarms == []
    assert watch.summary()["drift"]["combined"] < 1.0
    shifted = {"temp": rng.normal(68, 10, ROWS).tolist()}
    for number in range(12, 22):  # and what does change is found as before
        alarms += watch.observe([astray(day(rng, number, **shifted), 9, far)], [], START)
    assert alarms[0].subject == "temp"
    assert alarms[0].between[0] <= alarms[0].since <= alarms[0].between[1]


@pytest.mark.parametrize("jump", [timedelta(days=-4000), timedelta(days=20_000)])
@pytest.mark.parametrize("block", [None, "1d"])
def test_a_server_whose_clock_jumps_and_comes_back_raises_no_alarm(reference, jump, block):
    rng, watch, alarms = np.random.default_rng(2), make(reference, block), []
    for number in range(15):
        begins = START + timedelta(days=number) + (jump if 5 <= number < 10 else timedelta(0))
        alarms += watch.observe([day(rng, number, at=begins)], [], begins)
        state = watch.to_bytes()
        assert len(state) < 200_000
    assert alarms == []
    assert watch.summary()["drift"]["rows"] == 15 * ROWS
    assert watch.promises["drift"].spent <= 1.0


def test_a_feature_renamed_upstream_arrives_missing(reference):
    rng, watch = np.random.default_rng(3), make(reference)
    for number in range(5):
        assert watch.observe([day(rng, number)], [], START) == []
    (alarm,) = watch.observe([day(rng, 5, temp=[None] * ROWS)], [], START)
    assert alarm.since == START + timedelta(days=5)
    assert alarm.message.startswith("`temp` is missing in all rows since 6 Apr")
    assert ": was it renamed upstream?; evidence 10^" in alarm.message


def test_a_feature_frozen_at_one_value(reference):
    rng, watch = np.random.default_rng(4), make(reference)
    for number in range(5):
        assert watch.observe([day(rng, number)], [], START) == []
    (alarm,) = watch.observe([day(rng, 5, temp=[41.5] * ROWS)], [], START)
    assert alarm.since == START + timedelta(days=5)
    assert alarm.message.startswith("`temp` stands still at 41.5 since 6 Apr")
    assert ": 100% of rows, at most 3% before; evidence 10^" in alarm.message


def test_a_sensor_that_fails_now_and_then(reference):
    rng, watch, alarms = np.random.default_rng(5), make(reference), []
    for number in range(8):
        batch = day(rng, number)
        if number >= 4:
            temp = batch.batch.features["temp"]
            gone = [None if rng.random() < 0.4 else value for value in temp]
            batch = day(rng, number, temp=gone)
        alarms += watch.observe([batch], [], START)
    (alarm,) = alarms
    assert alarm.message.startswith("`temp` is missing in ")
    assert "of rows since 5 Apr" in alarm.message
    assert ": 0.0% before; " in alarm.message


def test_a_renamed_feature_is_refused_with_both_names():
    row = {"temperature": 40.0, "carrier": "AA"}
    with pytest.raises(InvalidRowError) as caught:
        RowReader(CONTRACT, max_rows=5).read([row])
    assert "temp is missing (unknown here: temperature)" in caught.value.what
    assert caught.value.remedy.startswith("Was temp renamed to temperature? Send every feature")
    with pytest.raises(InvalidRowError, match="Was temp renamed to temperature"):
        TableReader(CONTRACT).require(list(row))
