from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence.leakage.planted_leaks import honest, look, settings_of


def kinds(rows, settings, **keywords):
    found = look(rows, settings, **keywords)
    return [(leak.kind, leak.column, leak.certain) for leak in found.leaks]


@pytest.mark.parametrize(
    "copy",
    [
        pl.col("y"),
        1 - pl.col("y"),
        pl.when(pl.col("y") == 1).then(pl.lit("yes")).otherwise(pl.lit("no")),
        pl.when(pl.int_range(pl.len()) % 5 > 0).then("y"),
    ],
)
def test_a_class_in_other_words_is_certain(copy):
    assert kinds(honest().with_columns(copy=copy), settings_of()) == [("target", "copy", True)]


@pytest.mark.parametrize(
    "copy",
    [
        pl.col("y") * 100,
        -pl.col("y").exp(),
        pl.col("y").cast(pl.Float32),
        pl.col("y").cast(pl.String),
        pl.when(pl.int_range(pl.len()) % 5 > 0).then("y"),
    ],
)
def test_a_number_in_any_scale_is_certain(copy):
    rows = honest(task="regression").with_columns(copy=copy)
    assert kinds(rows, settings_of("regression")) == [("target", "copy", True)]


def test_a_number_of_few_values_under_other_names_is_certain():
    rows = honest(task="regression").with_columns(y=pl.col("y").round(0))
    rows = rows.with_columns(copy=pl.format("level {}", pl.col("y").hash(seed=1)))
    assert kinds(rows, settings_of("regression")) == [("target", "copy", True)]


def test_a_feature_that_decides_the_answer_is_certain():
    """As an arrival delay decides whether a flight was late."""
    rng = np.random.default_rng(0)
    delay = rng.normal(size=3000)
    rows = honest(3000).with_columns(delay=pl.Series(delay), y=pl.Series((delay > 0.5).astype(int)))
    assert kinds(rows, settings_of()) == [("predictor", "delay", True)]
    rows = rows.with_columns(delay=pl.col("delay") + 0.12 * pl.Series(rng.normal(size=3000)))
    assert kinds(rows, settings_of()) == [("predictor", "delay", False)]


def test_a_feature_that_is_as_good_as_many_others_is_a_property_of_the_task():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1000)
    x = y[:, None] * 6 + rng.normal(size=(1000, 6))
    rows = pl.DataFrame({f"x{i}": x[:, i] for i in range(6)}).with_columns(y=pl.Series(y))
    assert kinds(rows, settings_of()) == []


def test_names_of_rows():
    rows = honest().with_columns(number=pl.int_range(1000, 1000 + pl.len()).shuffle(seed=0))
    assert kinds(rows, settings_of()) == [("id", "number", False)]
    by_answer = honest().sort("y").with_columns(number=pl.int_range(pl.len()))
    assert kinds(by_answer, settings_of()) == [("id", "number", True)]
    text = honest(800).with_columns(name=pl.format("n{}", pl.int_range(pl.len())))
    assert kinds(text, settings_of()) == [("id", "name", False)]
    cents = honest().with_columns(cents=(pl.col("x3") * 1e9).cast(pl.Int64))
    assert kinds(cents, settings_of()) == []
    assert kinds(rows.with_columns(number=pl.col("x3")), settings_of()) == []


def test_unique_numbers_and_a_unique_target_are_not_one_to_one():
    rows = honest(task="regression").with_columns(other=pl.col("x2").rank())
    assert kinds(rows, settings_of("regression")) == []
