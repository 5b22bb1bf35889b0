from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import contingency, spearmanr

from gleis.data.analysis.associations import associate, correlation_ratio, cramers_v
from gleis.data.analysis.coded import code_categories


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(3)
    n = 4000
    x = draw.normal(size=n)
    y = 0.6 * x + draw.normal(size=n)
    group = np.where(x > 0.5, "high", np.where(draw.random(n) < 0.5, "low", "mid"))
    other = np.where(draw.random(n) < 0.3, group, "none")
    frame = pl.DataFrame(
        {"x": x, "y": y, "noise": draw.normal(size=n), "group": group, "other": other}
    )
    return frame.with_columns(
        pl.when(pl.int_range(n) % 7 == 0).then(None).otherwise(pl.col("y")).alias("y")
    )


def _pair(frame, first, second):
    found = associate(frame, frame.columns).found
    return next(each for each in found if {each.first, each.second} == {first, second})


def test_correlations_are_those_of_pandas_and_scipy(rows):
    pair = _pair(rows, "x", "y")
    table = pd.DataFrame({"x": rows["x"].to_list(), "y": rows["y"].to_list()})
    assert pair.value == pytest.approx(table.corr().loc["x", "y"])
    whole = rows.drop_nulls()
    assert pair.rank == pytest.approx(spearmanr(whole["x"], whole["y"])[0], abs=2e-3)
    assert pair.rows == whole.height


def test_cramers_v_without_bias_is_scipys(rows):
    table = rows.group_by("group", "other").len().pivot("other", index="group", values="len")
    counts = table.drop("group").fill_null(0).to_numpy().astype(np.int64)
    plain = contingency.association(counts, method="cramer")
    assert cramers_v(counts) == pytest.approx(plain, abs=0.01)
    assert cramers_v(counts) < plain


def test_correction_leaves_unrelated_columns_near_zero():
    draw = np.random.default_rng(0)
    raw, corrected = [], []
    for _ in range(200):
        table = np.histogram2d(draw.integers(0, 8, 200), draw.integers(0, 8, 200), [8, 8])[0]
        raw.append(contingency.association(table.astype(int), method="cramer"))
        corrected.append(cramers_v(table.astype(np.int64)))
    assert np.mean(raw) > 0.15
    assert np.mean(corrected) < 0.06


def test_correlation_ratio_is_the_root_of_the_variance_between(rows):
    value, count = correlation_ratio(code_categories(rows["group"]), rows["x"].to_numpy())
    means = rows.group_by("group").agg(pl.col("x").mean(), pl.len())
    between = (means["len"] * (means["x"] - rows["x"].mean()) ** 2).sum()
    total = ((rows["x"] - rows["x"].mean()) ** 2).sum()
    assert value == pytest.approx((between / total) ** 0.5, abs=1e-3)
    assert count == rows.height


def test_unrelated_columns_are_within_chance(rows):
    found = associate(rows, rows.columns)
    assert found.pairs == 10
    assert not any("noise" in (each.first, each.second) for each in found.found)
    strengths = [each.strength for each in found.found]
    assert strengths == sorted(strengths, reverse=True)


def test_of_many_unrelated_columns_hardly_any_pair_is_called():
    """All 300 pairs together are false at 5%: over 20 tables about one is."""
    called = 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        columns = {f"x{i}": draw.exponential(size=300) for i in range(15)}
        columns |= {f"c{i}": draw.choice(list("abcdef"), 300) for i in range(10)}
        called += bool(associate(pl.DataFrame(columns), list(columns)).found)
    assert called <= 4


def test_short_constant_or_missing_columns_have_no_pair():
    frame = pl.DataFrame(
        {"a": [1.0] * 40, "b": [None] * 30 + [1.0] * 10, "c": list(range(40)), "d": ["x"] * 40},
        schema_overrides={"b": pl.Float64},
    )
    assert associate(frame, frame.columns).found == ()
