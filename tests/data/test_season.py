import numpy as np
import polars as pl
import pytest

from gleis.data.profile import bin_counts, profile
from gleis.data.season import HOURS, count_seasons, hours_of, mix, reweigh

RNG = np.random.default_rng(0)


def made(rows, columns, every="week", weeks=8):
    frame = pl.DataFrame({f"x{i}": RNG.normal(size=rows) for i in range(columns)})
    stamps = np.sort(RNG.uniform(0, weeks * 7 * 86400, rows))
    seen = profile(frame, frame.columns)
    return seen, count_seasons(seen, frame.to_dict(), stamps, every)


def test_hours_begin_on_monday():
    monday = 4 * 86400.0  # 5 January 1970
    assert hours_of(np.array([monday, monday + 3600.0 * 167.5]), "week").tolist() == [0, 167]
    assert hours_of(np.array([monday - 1, monday + 86400.0 * 3]), "day").tolist() == [23, 0]


@pytest.mark.parametrize(("every", "columns", "most"), [("day", 2, 24), ("week", 30, 58)])
def test_all_rows_are_counted_in_cells_of_neighbours(every, columns, most):
    seen, season = made(20_000, columns, every)
    cells = np.array(season.cells)
    assert len(cells) == HOURS[every]
    assert set(np.diff(cells)) <= {0, 1}
    assert 10 <= cells.max() + 1 <= most
    for name, table in season.counts.items():
        assert (np.sum(table, axis=0) == bin_counts(seen.columns[name])).all()
        assert min(np.sum(table, axis=1)) >= 50


def test_few_rows_are_one_cell():
    _, season = made(30, 2)
    assert set(season.cells) == {0}


def test_hours_without_rows_have_a_cell():
    seen, _ = made(500, 1)
    noon = np.full(500, 12 * 3600.0)
    season = count_seasons(seen, {"x0": RNG.normal(size=500)}, noon, "day")
    assert set(season.cells[13:]) == {season.cells[12]}


def test_mixing_takes_each_cell_as_often_as_it_came():
    counts = np.array([[0, 100, 0], [0, 0, 300]])
    assert mix(counts, np.array([3, 1])).tolist() == [0, 300, 100]
    assert mix(counts, np.array([0, 0])).tolist() == [0, 100, 300]
    empty = np.array([[0, 0, 0], [0, 10, 30]])
    assert mix(empty, np.array([5, 0])).tolist() == [0, 10, 30]
    seen, season = made(2000, 1)
    own = np.sum(season.counts["x0"], axis=1)
    assert (reweigh(season, "x0", own) == bin_counts(seen.columns["x0"])).all()
