from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from evidence.estimation.rows import BINARY, THREE, VALUE, binary, three, values
from gleis.evidence.estimation.estimate import estimate_sums, sum_rows
from gleis.evidence.estimation.learn import learn_estimation
from gleis.evidence.estimation.stretches import Stretches, make_grid, pack, unpack

START = datetime(2013, 4, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_a_year_stays_bounded_and_loses_nothing_of_the_last_weeks():
    grid = make_grid(START, WEEK)
    stretches = Stretches(grid)
    for day in range(365):
        stretches.add(day, np.array([1.0, day]))
    kept = stretches.keep()
    assert len(kept.fine) <= 28
    assert len(kept.coarse) <= 20
    last = stretches.since(grid.starts(365 - 7))
    assert [sums[1] for _, sums in last] == list(range(358, 365))
    assert sum(sums[0] for _, sums in stretches.since(grid.starts(300))) >= 65
    again = Stretches(grid, kept)
    assert again.keep() == kept
    assert [start for start, _ in again.of_window(51)] == [grid.starts(d) for d in range(357, 364)]


def test_late_rows_join_what_was_added_up():
    grid = make_grid(START, WEEK)
    stretches = Stretches(grid)
    for day in range(60):
        stretches.add(day, np.array([1.0]))
    stretches.add(1, np.array([5.0]))
    assert float(sum(sums[0] for _, sums in stretches.of_window(0))) == 12.0


def test_short_windows_are_cut_finer():
    grid = make_grid(START, timedelta(hours=4))
    assert grid.stretch == timedelta(minutes=30)
    assert grid.window_of(START) == 1
    assert grid.stretch_of(START) == 10


def test_stretches_are_forgotten():
    grid = make_grid(START, WEEK)
    stretches = Stretches(grid)
    for day in range(50):
        stretches.add(day, np.array([1.0]))
    stretches.drop(grid.starts(48))
    assert [start for start, _ in stretches.since(grid.origin)] == [
        grid.starts(48),
        grid.starts(49),
    ]


@pytest.mark.parametrize(
    ("contract", "make"), [(BINARY, binary), (THREE, three), (VALUE, values)], ids=["2", "3", "v"]
)
def test_sums_add_up_whatever_they_are_of(contract, make):
    made = make(np.random.default_rng(0), 2_000)
    columns, scores, y = made if contract is VALUE else ({}, *made)
    learned = learn_estimation(y, scores, columns, contract).estimation
    part = {name: column[:700] for name, column in columns.items()}
    rest = {name: column[700:] for name, column in columns.items()}
    halves = pack(sum_rows(scores[:700], part, learned)) + pack(
        sum_rows(scores[700:], rest, learned)
    )
    whole = estimate_sums([sum_rows(scores, columns, learned)], learned)
    added = estimate_sums([unpack(halves, learned)], learned)
    for name, figure in whole.items():
        assert added[name].value == pytest.approx(figure.value, rel=1e-12)
