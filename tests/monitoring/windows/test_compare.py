from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from gleis.contracts.errors import DataError
from gleis.data.profile import profile
from gleis.monitoring.windows.compare import compare
from gleis.monitoring.windows.discoveries import adjust


def rows(seed, n=3000, shift=0.0, missing=0.0, share=0.5):
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, size=n)
    x[rng.random(n) < missing] = np.nan
    words = np.where(rng.random(n) < share, "a", rng.choice(list("bcd"), n))
    return pl.DataFrame(
        {"x": x, "y": rng.exponential(size=n), "k": rng.integers(0, 5, n), "word": words}
    ).with_columns(pl.col("x").fill_nan(None), flag=pl.col("y") > 1)


def by_name(found):
    return {each.column: each for each in found.columns}


def test_what_changed_is_found_and_said():
    found = compare(rows(0), rows(1, shift=0.5, share=0.7), names=("then", "now"))
    assert set(found.changed) == {"x", "word"}
    x, word = by_name(found)["x"], by_name(found)["word"]
    assert x.sentence.startswith("median ")
    assert x.wasserstein == pytest.approx(0.5, abs=0.1)
    assert x.quantiles["p50"][1] - x.quantiles["p50"][0] == pytest.approx(0.5, abs=0.1)
    assert "share of a" in word.sentence
    assert word.wasserstein is None
    assert (found.reference, found.current, found.exact) == ("then", "now", True)
    assert [each.adjusted for each in found.columns] == sorted(e.adjusted for e in found.columns)


def test_missing_values_are_a_change_of_their_own():
    found = by_name(compare(rows(0, missing=0.02), rows(1, missing=0.2)))["x"]
    assert found.changed
    assert found.sentence == f"missing {found.missing[0]:.1%} -> {found.missing[1]:.1%}"
    assert found.p_value > 0.01 > found.missing_p_value


@pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame, "arrow"])
def test_any_table_gives_the_same_answer(kind):
    a, b = rows(0), rows(1, shift=0.3)
    turn = {"arrow": lambda f: f.to_arrow(), pd.DataFrame: lambda f: f.to_pandas()}.get(
        kind, lambda f: f
    )
    assert compare(turn(a), turn(b)) == compare(a, b)


def test_sketches_find_what_rows_find():
    a, b = rows(0, 20_000), rows(1, 20_000, shift=0.2, share=0.6)
    first = profile(a, a.columns)
    found = compare(first, profile(b, b.columns, like=first))
    assert set(found.changed) == set(compare(a, b).changed) == {"x", "word"}
    assert not found.exact
    exact = by_name(compare(a, b))
    for each in found.columns:
        assert each.statistic <= exact[each.column].statistic + 1e-12
    assert by_name(found)["x"].wasserstein == pytest.approx(exact["x"].wasserstein, rel=0.1)


def test_quiet_windows_are_called_changed_at_most_at_the_rate():
    falsely = sum(bool(compare(rows(2 * i, 900), rows(2 * i + 1, 900)).changed) for i in range(100))
    assert stats.binomtest(falsely, 100, 0.05, alternative="greater").pvalue > 0.001


def test_adjusted_as_scipy_adjusts():
    p_values = np.random.default_rng(0).random(30) ** 3
    expected = stats.false_discovery_control(p_values, method="by")
    assert adjust(p_values) == pytest.approx(expected)
    assert np.isnan(adjust([np.nan, 0.2])[0])
    assert adjust([np.nan, 0.2])[1] == pytest.approx(0.2)


def test_what_cannot_be_compared_is_left_out_and_said():
    a = rows(0, 50).with_columns(at=pl.datetime(2024, 1, 1), odd=pl.lit("one"), none=None)
    b = rows(1, 50).with_columns(
        at=pl.datetime(2024, 1, 2), odd=pl.lit(1, dtype=pl.Int64), none=None
    )
    found = compare(a, b)
    assert set(found.left_out) == {"at", "odd", "none"}
    assert found.left_out["odd"] == "String in one window, Int64 in the other"


def test_a_column_that_became_empty_has_changed():
    b = rows(1).with_columns(x=pl.lit(None, dtype=pl.Float64))
    found = by_name(compare(rows(0), b))["x"]
    assert found.changed
    assert np.isnan(found.p_value)
    assert found.sentence == "missing 0.0% -> 100.0%"


@pytest.mark.parametrize(
    ("a", "b", "options", "said"),
    [
        (rows(0).head(0), rows(1), {}, "The reference window has no rows"),
        (rows(0), rows(1).head(0), {}, "The current window has no rows"),
        (rows(0), rows(1), {"columns": ["z"]}, "A window lacks a column: 'z'"),
        (rows(0).select("x"), rows(1).select("y"), {}, "no column in common"),
        (rows(0), rows(1), {"false_discoveries": 0}, "not between 0 and 1"),
        (profile(rows(0), ["x"]), rows(1), {}, "one window is sketched"),
    ],
)
def test_bad_input(a, b, options, said):
    with pytest.raises(DataError, match=said):
        compare(a, b, **options)
