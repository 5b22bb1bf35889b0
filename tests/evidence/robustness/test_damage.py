from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy.stats

from evidence_rows import CONTRACT, N, make_rows
from gleis.contracts.contract import Column, Contract
from gleis.evidence.robustness.damage import (
    KINDS,
    add_noise,
    swap_categories,
    take_away,
    within,
)
from gleis.evidence.robustness.names import PERTURBATIONS
from gleis.evidence.robustness.table import read_table
from gleis.evidence.robustness.usual import usual_of

TABLE = read_table(make_rows(), CONTRACT)
KNOWN = usual_of(TABLE)
BY_NAME = {kind.name: kind for kind in KINDS}


def done(kind):
    return kind(TABLE, KNOWN, (0,)).table.values


def test_the_names_are_those_gates_use():
    assert tuple(BY_NAME) == PERTURBATIONS[: len(BY_NAME)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides_and_nothing_is_done_in_place(kind):
    before = {name: values.copy() for name, values in TABLE.values.items()}
    first, again, other = (kind(TABLE, KNOWN, (seed,)).table.values for seed in (1, 1, 2))
    for name, values in before.items():
        np.testing.assert_array_equal(TABLE.values[name], values)
        np.testing.assert_array_equal(first[name], again[name])
    assert any(not np.array_equal(first[n], other[n], equal_nan=True) for n in before)


def test_noise_has_the_stated_spread():
    noisy = done(add_noise(0.1))
    moved = (noisy["price"] - TABLE.values["price"]) / KNOWN["price"].spread
    assert scipy.stats.kstest(moved, "norm", args=(0, 0.1)).pvalue > 0.01
    pages = noisy["pages"]
    assert (pages == np.rint(pages)).all()
    assert pages.min() >= 0
    assert pages.max() <= 20
    assert np.nanmin(noisy["age"]) >= 18
    assert np.nanmax(noisy["age"]) <= 90
    np.testing.assert_array_equal(np.isnan(noisy["age"]), TABLE.missing("age"))


def test_missing_values_only_where_they_may_be():
    damage = take_away(0.25)(TABLE, KNOWN, (0,))
    lost = damage.table.missing("age").mean()
    assert lost == pytest.approx(0.1 + 0.9 * 0.25, abs=4 * np.sqrt(0.25 / N))
    for name in ("price", "pages", "shop", "member"):
        assert not damage.table.missing(name).any()
        assert name in damage.note


def test_a_swapped_word_is_another_one_drawn_as_training_saw_it():
    after, before = done(swap_categories(0.5))["shop"], TABLE.values["shop"]
    changed = after != before
    assert changed.mean() == pytest.approx(0.5, abs=0.04)
    shares = KNOWN["shop"].shares
    counts = np.bincount(after[changed & (before == 0)], minlength=3)
    assert counts[0] == 0
    wanted = shares[1:] / shares[1:].sum()
    assert scipy.stats.chisquare(counts[1:], wanted * counts.sum()).pvalue > 0.01


def test_numbers_out_of_range():
    after = done(BY_NAME["out_of_range"])
    for column in CONTRACT.features[:3]:
        moved = after[column.name] != TABLE.values[column.name]
        moved &= ~np.isnan(after[column.name])
        values = after[column.name][moved]
        assert ((values < column.low) | (values > column.high)).all()
        assert 0.07 < moved.mean() < 0.13
        width = column.high - column.low
        assert values.min() >= column.low - width - 1
        assert values.max() <= column.high + width + 1


def test_unseen_words_are_unseen():
    damage = BY_NAME["unseen_category"](TABLE, KNOWN, (0,))
    words = damage.table.columns()["shop"]
    unseen = ~words.is_in(["a", "b", "c"])
    assert 0.07 < unseen.mean() < 0.13
    assert damage.table.columns()["member"].to_list() == TABLE.columns()["member"].to_list()


def test_a_value_outside_the_range_may_stay():
    column = Column(name="n", kind="number", low=0.0, high=1.0)
    kept = within(column, np.array([3.0, 0.5]), np.array([2.5, 7.0]))
    assert kept.tolist() == [2.5, 1.0]
    assert within(column, np.array([3.0]), np.array([4.0])).tolist() == [3.0]


NOTHING = pl.DataFrame(
    {"same": [2.0] * 9, "gone": [None] * 9, "word": ["x"] * 9},
    schema={"same": pl.Float64, "gone": pl.Float64, "word": pl.String},
)


def test_features_that_do_not_vary_are_left_alone_and_a_note_says_so():
    features = (
        Column(name="same", kind="number", low=2.0, high=2.0),
        Column(name="gone", kind="number", nullable=True),
        Column(name="word", kind="category", categories=("x",)),
    )
    table = read_table(NOTHING, Contract(task="regression", features=features, target="y"))
    known = usual_of(table)
    noise = add_noise(0.1)(table, known, (0,))
    swapped = swap_categories(0.05)(table, known, (0,))
    assert noise.table is None
    assert "no number varies" in noise.note
    assert swapped.table is None
    outside = BY_NAME["out_of_range"](table, known, (3,))
    assert np.isfinite(outside.table.values["same"]).all()
    assert np.isnan(outside.table.values["gone"]).all()
