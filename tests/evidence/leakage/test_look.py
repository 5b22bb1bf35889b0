from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from evidence.leakage.planted_leaks import honest, look, settings_of
from gleis.contracts.leakage import Leakage


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("seed", range(4))
def test_honest_rows_are_not_flagged(task, seed):
    found = look(honest(seed=seed, task=task), settings_of(task), seed=seed)
    assert found.leaks == ()
    assert found.unchecked == ()
    assert found.checked


@pytest.mark.parametrize(
    ("name", "task"),
    [("iris", "multiclass"), ("wine", "multiclass"), ("breast_cancer", "binary"),
     ("diabetes", "regression")],
)  # fmt: skip
def test_known_tables_have_no_certain_leak(name, task):
    table = getattr(datasets, f"load_{name}")()
    rows = pl.DataFrame(table.data, schema=list(map(str, table.feature_names)))
    found = look(rows.with_columns(y=pl.Series(table.target)), settings_of(task))
    assert [leak for leak in found.leaks if leak.certain] == []


def test_the_same_seed_finds_the_same():
    rows = honest().with_columns(site=pl.int_range(pl.len()) % 20)
    settings = settings_of(exclude=("site",))
    assert look(rows, settings) == look(rows, settings)


def test_what_is_found_is_kept_as_json(recorded):
    assert msgspec.json.decode(msgspec.json.encode(recorded), type=Leakage) == recorded


def test_a_constant_target_and_text_raise_nothing():
    rows = honest().with_columns(
        y=pl.lit(1), note=pl.format("words {}", pl.int_range(pl.len()) % 1000)
    )
    found = look(rows, settings_of(groups=("shop",)))
    assert found.leaks == ()
    assert any("shop" in said and "single class" in said for said in found.unchecked)


def test_a_constant_number_to_predict_raises_nothing():
    rows = honest(task="regression").with_columns(y=pl.lit(1.5))
    found = look(rows, settings_of("regression", groups=("shop",)))
    assert found.leaks == ()
    assert any("undefined" in said for said in found.unchecked)


def test_features_that_are_null_almost_everywhere():
    rows = honest().with_columns(
        x0=pl.when(pl.int_range(pl.len()) % 50 == 0).then("x0"), shop=pl.lit(None, pl.String)
    )
    found = look(rows, settings_of())
    assert found.leaks == ()
    assert np.isfinite(rows["x1"].to_numpy()).all()
