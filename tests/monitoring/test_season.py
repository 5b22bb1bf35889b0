"""Streams with a strong week: no alarm by itself, and a change on top is found."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from gleis.contracts.errors import DataError, StoreError
from gleis.data.profile import profile
from gleis.data.season import count_seasons, hours_of
from gleis.monitoring.drift import DriftMonitor
from gleis.monitoring.ranking import Ranking
from monitoring.matches import gone_on

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
ALARM = math.log10(1 / 0.05)
COLUMNS = ["amount", "channel"]


def weeks(rng, first, number, shift=0.0):
    """Rows by the hour: few at night, and at weekends other amounts through other channels."""
    hours = np.arange(first * 168, (first + number) * 168)
    busy = np.where(hours % 24 < 7, 1, 6)
    hour = np.repeat(hours, rng.poisson(busy))
    weekend = hour % 168 >= 120
    amount = rng.normal(size=len(hour)) + weekend + np.sin(hour % 24 / 24 * 2 * np.pi) + shift
    web = rng.random(len(hour)) < np.where(weekend, 0.8, 0.3)
    columns = {"amount": amount, "channel": np.where(web, "web", "shop").tolist()}
    stamps = MONDAY.timestamp() + 3600.0 * (hour + rng.random(len(hour)))
    return columns, np.sort(stamps)


def moments(stamps):
    return [datetime.fromtimestamp(stamp, UTC) for stamp in stamps]


def make(seed, every, **more):
    rng = np.random.default_rng([seed, 9])
    columns, stamps = weeks(rng, 0, 5)
    before = profile(pl.DataFrame(columns), COLUMNS)
    season = count_seasons(before, columns, stamps, every) if every else None
    return rng, before, season, DriftMonitor(before, seed, season=season, **more)


def highest(monitor, columns, stamps, cuts=10):
    """Watch rows, looking ten times."""
    found = -math.inf
    for rows in np.array_split(np.arange(len(stamps)), cuts):
        part = {name: np.asarray(values)[rows].tolist() for name, values in columns.items()}
        monitor.update(part, moments(stamps[rows]))
        found = max(found, monitor.combined)
    return found


def test_a_week_is_no_alarm_if_like_is_compared_with_like():
    """At most 5 % promised; with 100 streams, 10 % would be seen by chance once in 80 at 5 %."""
    alarmed = 0
    for seed in range(100):
        rng, _, _, monitor = make(seed, "week")
        alarmed += highest(monitor, *weeks(rng, 5, 2)) >= ALARM
    assert alarmed <= 10


def test_without_a_season_every_stream_alarms():
    found = []
    for seed in range(10):
        rng, _, _, monitor = make(seed, None)
        found.append(highest(monitor, *weeks(rng, 5, 2)))
    assert min(found) >= ALARM


@pytest.mark.parametrize("every", ["day", "week"])
def test_seasons_shorter_than_the_pattern_help_less(every):
    rng, _, _, monitor = make(3, every)
    assert (highest(monitor, *weeks(rng, 5, 2)) >= ALARM) == (every == "day")


@pytest.mark.parametrize("block", [None, timedelta(days=1)])
def test_a_change_on_top_is_found_dated_and_said(block):
    rng, _, _, monitor = make(4, "week", block=block)
    highest(monitor, *weeks(rng, 5, 2))
    assert monitor.combined < ALARM
    columns, stamps = weeks(rng, 7, 2, shift=1.0)
    monitor.update(columns, moments(stamps))
    assert monitor.combined >= ALARM
    change = monitor.change("amount")
    early, late = change.between
    began = MONDAY + timedelta(weeks=7)
    assert early <= began <= late
    assert abs(change.since - began) < timedelta(days=2)
    assert change.shift == pytest.approx(1.0 / 1.35, abs=0.25)  # in deviations of all hours
    assert monitor.change("channel").effect < 0.05


def test_a_change_is_held_against_the_hours_it_came_in():
    """A weekend of new amounts is compared with weekends."""
    rng, _, _, monitor = make(5, "week")
    columns, stamps = weeks(rng, 5, 1, shift=2.0)
    weekend = hours_of(stamps, "week") >= 120
    part = {name: np.asarray(values)[weekend].tolist() for name, values in columns.items()}
    monitor.update(part, moments(stamps[weekend]))
    words = monitor.change("amount").told.says
    before, after = (float(word) for word in words.split(" of ")[1].split(" to "))
    assert before == pytest.approx(0.9, abs=0.3)
    assert after == pytest.approx(2.9, abs=0.4)


@pytest.mark.parametrize("block", [None, timedelta(hours=6)])
def test_cuts_and_kept_states_make_no_difference(block):
    rng, before, season, whole = make(6, "week", block=block)
    parts = DriftMonitor(before, 6, block=block, season=season)
    columns, stamps = weeks(rng, 5, 1, shift=0.5)
    whole.update(columns, moments(stamps))
    for rows in np.array_split(np.arange(len(stamps)), [1, 2, 300]):
        part = {name: np.asarray(values)[rows].tolist() for name, values in columns.items()}
        parts.update(part, moments(stamps[rows]))
        state = parts.to_bytes()
        parts = gone_on(DriftMonitor(before, 6, block=block, season=season), state)
    for name, value in whole.evidence().items():
        assert parts.evidence()[name] == pytest.approx(value, abs=1e-8)
        assert parts.change(name)[1:3] == pytest.approx(whole.change(name)[1:3])
        assert parts.change(name).since == whole.change(name).since
        assert parts.change(name).between == whole.change(name).between
    with pytest.raises(StoreError, match="season"):
        gone_on(DriftMonitor(before, 6, block=block), state)


def test_seasons_need_times():
    _, _, _, monitor = make(7, "week")
    with pytest.raises(DataError, match="Seasons need a time"):
        monitor.update({"amount": [1.0], "channel": ["web"]})


def test_ranks_of_one_cell_are_those_without_seasons():
    rng, before, season, _ = make(8, "week")
    columns, stamps = weeks(rng, 5, 1)
    values = pl.DataFrame(columns)
    codes = np.stack([np.full(len(stamps), 3), np.full(len(stamps), 1)], axis=1)
    uniforms = rng.random(codes.shape)
    merged = count_seasons(before, values.to_dict(), np.full(len(stamps), 1e9), "week")
    assert set(merged.cells) == {0}
    plain, seasonal = Ranking(before), Ranking(before, season)
    cells = seasonal.cells(stamps)
    assert plain.cells(stamps).max() == 0
    assert cells.max() == seasonal.n_cells - 1
    ranks, _, passed = plain.rank(codes, uniforms, plain.cells(stamps))
    _, _, counted = seasonal.rank(codes, uniforms, cells)
    assert all((one == two).all() for one, two in zip(passed, counted, strict=True))
    assert ((ranks >= 0) & (ranks <= 1)).all()
