from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from scipy.stats import wasserstein_distance

from gleis.data.analysis.shifts import Overlap, chance_variance, shift_of

NONE = Overlap(0, 0)


def _numbers(name):
    draw = np.random.default_rng(11)
    return {
        "normal": lambda n: draw.normal(size=n),
        "counts": lambda n: draw.poisson(3, n).astype(float),
        "rare": lambda n: (draw.random(n) < 0.03).astype(float),
        "tails": lambda n: draw.standard_t(3, n),
        "categories": lambda n: draw.choice(list("abcdefgh"), n),
    }[name]


@pytest.mark.parametrize("name", ["normal", "counts", "rare", "tails", "categories"])
@pytest.mark.parametrize(("rows", "appended"), [(1500, None), (4000, 200)])
def test_a_column_that_did_not_change_is_seldom_called(name, rows, appended):
    """At 5% a column; of 200 quiet ones up to 22 may be called by chance (p = 0.001)."""
    draw, called = _numbers(name), 0
    for _ in range(200):
        before = draw(rows)
        after = draw(rows) if appended is None else np.concatenate([before, draw(appended)])
        kept = 0 if appended is None else rows
        found = shift_of(pl.Series("x", before), pl.Series("x", after), Overlap(kept, kept), 0.05)
        called += found.beyond_chance
    assert called <= 22


def test_an_interval_holds_the_truth_in_19_of_20():
    draw, held = np.random.default_rng(2), 0
    for _ in range(300):
        before, after = draw.normal(0, 2, 400), draw.normal(1, 2, 500)
        found = shift_of(pl.Series("x", before), pl.Series("x", after), NONE, 0.05)
        held += found.low <= 0.5 <= found.high
    assert 273 <= held <= 297


def test_the_distance_is_scipys():
    draw = np.random.default_rng(0)
    before, after = draw.lognormal(0, 1, 6000), draw.lognormal(0.2, 0.8, 5000)
    found = shift_of(pl.Series("x", before), pl.Series("x", after), NONE, 0.05)
    spread = np.sqrt((before.var(ddof=1) + after.var(ddof=1)) / 2)
    assert found.distance == pytest.approx(wasserstein_distance(before, after) / spread, rel=0.02)


def test_a_spread_that_doubles_is_seen_by_the_distance():
    draw = np.random.default_rng(0)
    before, after = draw.normal(0, 1, 5000), draw.normal(0, 2, 5000)
    found = shift_of(pl.Series("x", before), pl.Series("x", after), NONE, 0.01)
    assert found.low < 0 < found.high
    assert found.distance > found.distance_noise
    assert found.beyond_chance
    assert "its shape moved" in found.sentence


def test_categories_name_the_ones_that_moved():
    before = pl.Series("c", ["a"] * 500 + ["b"] * 500 + ["z"] * 20)
    after = pl.Series("c", ["a"] * 700 + ["b"] * 300 + ["z"] * 20)
    found = shift_of(before, after, NONE, 0.05)
    assert found.sentence == "a 49.0% -> 68.6%, b 49.0% -> 29.4%"
    assert found.size == "medium"
    assert sum(found.bins_before) == 0
    hidden = shift_of(before, after, NONE, 0.05, personal=True)
    assert hidden.categories[0].value == "a"  # one character is its own mask


def test_missing_values_that_come_are_a_change():
    before = pl.Series("x", [1.0, 2.0] * 500)
    after = pl.Series("x", [1.0, 2.0, None, 1.0] * 250)
    found = shift_of(before, after, NONE, 0.05)
    assert found.missing_after == 0.25
    assert "missing 0.0% -> 25.0%" in found.sentence
    assert found.size == "large"


def test_times_say_where_they_begin_and_end():
    before = pl.Series("at", [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)])
    after = before.clone().extend(pl.Series([datetime(2024, 3, 1, tzinfo=UTC)], dtype=before.dtype))
    found = shift_of(before, after, Overlap(2, 2), 0.05)
    assert found.sentence == "ends 2024-02-01 00:00 -> 2024-03-01 00:00"
    assert not found.beyond_chance


def test_what_is_the_same_moves_by_nothing():
    column = pl.Series("x", [1.0, 5.0, None])
    found = shift_of(column, column, Overlap(2, 3), 0.05)
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert found.size == "none"
    constant = pl.Series("x", [3, 3, 3])
    moved = shift_of(constant, constant + 1, NONE, 0.05)
    assert (moved.size, moved.sentence) == ("large", "3 -> 4 in all rows")


def test_empty_and_short_columns_are_told_without_an_effect():
    empty = pl.Series("x", [], dtype=pl.Float64)
    gone = pl.Series("x", [None, None], dtype=pl.Float64)
    for before, after in ((empty, empty), (gone, gone), (empty, gone)):
        assert shift_of(before, after, NONE, 0.05).size == "none"


def test_shared_rows_cancel():
    draw = np.random.default_rng(3)
    apart = []
    for _ in range(3000):
        first = draw.normal(size=80)
        both = np.concatenate([first[:60], draw.normal(size=30)])
        apart.append(both.mean() - first.mean())
    assert np.var(apart) == pytest.approx(chance_variance(80, 90, 60), rel=0.1)


def test_two_classes_are_told_in_the_same_order_however_they_move():
    """Both shares move by the same, but for the last bits of a float."""
    for ones in range(1, 60):
        old, new = (pl.Series("late", [0] * (211 - n) + [1] * n) for n in (30, 30 + ones))
        found = shift_of(old, new, NONE, 0.05, as_category=True)
        assert [each.value for each in found.categories] == ["0", "1"]
