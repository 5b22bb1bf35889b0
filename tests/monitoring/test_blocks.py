import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from gleis.contracts.errors import DataError, StoreError
from gleis.data.profile import profile
from gleis.monitoring.bets import CELLS
from gleis.monitoring.blocks import cut_blocks
from gleis.monitoring.drift import DriftMonitor
from gleis.monitoring.martingale import Martingale
from gleis.monitoring.ranks import rank_block, rank_online
from monitoring.matches import gone_on

START = datetime(2013, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ALARM = math.log10(1 / 0.05)
COLUMNS = ["temp", "weekday"]


def weather(rng, days, rows=60, first=0, shift=0.0):
    """Days differ more than rows of a day do; the weekday is one and the same all day."""
    temp = np.repeat(rng.normal(shift, 1.0, days), rows) + 0.3 * rng.normal(size=days * rows)
    weekday = np.repeat((np.arange(days) + first) % 7, rows)
    times = [START + DAY * (first + i / rows) for i in range(days * rows)]
    return {"temp": temp, "weekday": weekday}, times


def make(rng, **more):
    before, _ = weather(rng, 98)
    return DriftMonitor(profile(pl.DataFrame(before), COLUMNS), **more)


def highest(monitor, rng, days):
    top = -math.inf
    for first in range(0, days, 7):
        monitor.update(*weather(rng, 7, first=first))
        top = max(top, monitor.combined)
    return top


@pytest.mark.slow
def test_days_of_alike_rows_keep_the_rate_in_blocks_only():
    tops = {None: [], DAY: []}
    for seed in range(100):
        for block, found in tops.items():
            rng = np.random.default_rng(seed)
            found.append(highest(make(rng, seed=seed, block=block), rng, 98))
    share = {block: np.mean(np.array(found) >= ALARM) for block, found in tops.items()}
    assert share[DAY] <= 0.11
    assert share[None] > 0.9


def test_a_change_of_days_is_found_and_dated():
    rng = np.random.default_rng(1)
    monitor = make(rng, block=DAY)
    monitor.update(*weather(rng, 56))
    assert monitor.combined < ALARM
    monitor.update(*weather(rng, 28, first=56, shift=2.0))
    assert monitor.combined >= ALARM
    change = monitor.change("temp")
    assert abs(change.since - START - 56 * DAY) <= 4 * DAY
    assert change.since.hour == 0
    assert change.mean == pytest.approx(2.0, abs=0.6)
    assert change.effect > 0.5


def test_cutting_and_saving_make_no_difference():
    rng = np.random.default_rng(2)
    before = profile(pl.DataFrame(weather(rng, 30)[0]), COLUMNS)
    columns, times = weather(rng, 20)
    whole = DriftMonitor(before, block=DAY)
    whole.update(columns, times)
    parts = DriftMonitor(before, block=DAY)
    for first, last in ((0, 17), (17, 500), (500, 500), (500, 1200)):
        cut = {name: column[first:last] for name, column in columns.items()}
        parts.update(cut, times[first:last])
        parts = gone_on(DriftMonitor(before, block=DAY), parts.to_bytes())
    assert parts.rows == whole.rows == 1200
    assert parts.evidence() == whole.evidence()
    assert parts.change("temp")[:3] == whole.change("temp")[:3]
    with pytest.raises(StoreError, match="another reference, block"):
        gone_on(DriftMonitor(before), parts.to_bytes())


def test_block_bets_are_fair():
    """After the same past, blocks in every single cell: on average nothing is won, exactly."""
    martingale = Martingale(CELLS, blocks=True)
    past = np.random.default_rng(3).dirichlet(np.ones(CELLS), size=1)
    for _ in range(3):
        martingale.update_block(np.repeat(past, CELLS, axis=0))
    before = np.exp(martingale.log_capital())
    martingale.update_block(np.eye(CELLS))
    after = np.exp(martingale.log_capital())
    assert after.std() > 1e-3 * before[0]
    assert after.mean() == pytest.approx(before[0], rel=1e-12)


def test_an_even_block_wins_nothing():
    martingale = Martingale(1, blocks=True)
    martingale.update_block(np.full((1, CELLS), 1 / CELLS))
    assert martingale.log_capital()[0] == pytest.approx(0.0, abs=1e-12)


def test_block_ranks_are_the_mean_over_random_ties():
    seen, block = np.array([3, 3, 10]), np.array([2, 5, 1])
    total = seen + np.cumsum(block)
    shares = rank_block(block, seen, 64)
    codes = np.repeat([0, 1, 2], block)
    below = np.concatenate(([0], total))[codes]
    uniforms = np.random.default_rng(4).random((4000, 8))
    drawn = (below + uniforms * (total[codes] - below)) / total[-1]
    counted = np.histogram(drawn, bins=64, range=(0, 1))[0] / drawn.size
    assert shares.sum() == pytest.approx(1.0)
    assert shares == pytest.approx(counted, abs=0.005)


def test_a_block_of_one_row_is_ranked_as_online():
    seen, uniforms = np.array([3, 3, 10]), np.linspace(0.0005, 0.9995, 1000)
    shares = rank_block(np.array([0, 1, 0]), seen, 16)
    ranks = [rank_online(np.array([1]), np.array([u]), seen)[0][0] for u in uniforms]
    assert shares == pytest.approx(np.histogram(ranks, 16, (0, 1))[0] / 1000, abs=0.002)


def test_late_rows_join_the_open_block():
    assert cut_blocks(np.array([50.0, 61.0]), 10.0, 6.0) == ([(slice(0, 2), 6.0)], 0)
    assert cut_blocks(np.array([]), 10.0, math.nan) == ([], 0)


@pytest.mark.parametrize("wrong", [1e9, -1e9])
def test_a_clock_far_off_neither_ends_the_present_nor_stops_it(wrong):
    """One row in ten comes from a device whose clock is decades off."""
    stamps = np.arange(0.0, 100.0, 1.0)
    stamps[5::10] += wrong
    parts, away = cut_blocks(stamps, 10.0, math.nan)
    assert [number for _, number in parts] == list(range(10))
    assert away == 0


@pytest.mark.parametrize("jump", [1e9, -500.0])
def test_a_clock_that_was_set_is_followed_after_twenty_rows(jump):
    stamps = np.arange(600.0, 700.0)
    stamps[50:] += jump
    parts, _ = cut_blocks(stamps, 10.0, math.nan)
    numbers = [number for _, number in parts]
    assert numbers[:5] == [60, 61, 62, 63, 64]
    assert parts[5] == (slice(69, 70), np.floor(stamps[69] / 10))
    assert len(parts) == 9  # and no empty stretches between


def test_doubt_goes_on_however_rows_are_cut():
    stamps = np.arange(600.0, 700.0)
    stamps[50:] += 1e6
    whole, _ = cut_blocks(stamps, 10.0, math.nan)
    numbers, present, away = [], math.nan, 0
    for stamp in stamps:
        parts, away = cut_blocks(np.array([stamp]), 10.0, present, away)
        present = parts[0][1]
        numbers.append(present)
    joined = [number for part, number in whole for _ in range(part.stop - part.start)]
    assert numbers == joined


def test_blocks_need_times():
    monitor = make(np.random.default_rng(5), block=DAY)
    with pytest.raises(DataError, match="time for each row"):
        monitor.update({"temp": [1.0], "weekday": [1]})
    assert monitor.rows == 0
