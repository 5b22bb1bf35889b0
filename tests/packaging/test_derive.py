from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import ProjectError
from gleis.packaging.derive import derive_rule, tabulate
from gleis.packaging.rule import ColumnRule, RuleModel, TableRule

CONTRACT = Contract(
    task="regression",
    features=tuple(Column(name=n, kind="category", nullable=True) for n in ("a", "b", "c", "x")),
    target="y",
)


def table(n_rows: int = 600, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "a": rng.choice(["p", "q", "r"], n_rows),
            "b": rng.integers(0, 4, n_rows),
            "c": rng.random(n_rows) < 0.5,
            "x": rng.normal(size=n_rows),
        }
    ).with_columns(pl.when(pl.col("b") < 3).then(pl.col("b")))


@settings(max_examples=40, deadline=None)
@given(
    chosen=st.sets(st.sampled_from(["a", "b", "c"])),
    seed=st.integers(0, 10_000),
    classes=st.sampled_from([0, 3]),
)
def test_finds_exactly_the_columns_a_rule_uses(chosen, seed, classes):
    frame = table().with_columns(same=0)
    rng = np.random.default_rng(seed)
    codes = frame.select(pl.struct("same", *sorted(chosen)).rank("dense")).to_series()
    values = rng.random((codes.max(), classes) if classes else codes.max())
    scores = values[codes.to_numpy() - 1]
    rule = derive_rule(frame, scores, ["x", "c", "b", "a"])
    assert isinstance(rule, TableRule)
    assert set(rule.columns) == chosen
    again = RuleModel(rule, CONTRACT).predict({n: frame[n] for n in frame.columns})
    np.testing.assert_array_equal(again, scores)


def test_default_is_the_mean_score():
    frame = pl.DataFrame({"a": ["p", "p", "p", "q"]})
    assert tabulate(frame, np.array([0.1, 0.1, 0.1, 0.5]), ["a"]).default == pytest.approx(0.2)


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["", "p", "q"])])
def test_text_types_missing_and_empty_text(dtype):
    frame = pl.DataFrame({"a": pl.Series(["p", None, "", "q"] * 3, dtype=dtype)})
    rule = tabulate(frame, np.array([0.1, 0.2, 0.3, 0.4] * 3), ["a"])
    found = {cell.key[0]: cell.score for cell in rule.cells}
    assert found == {"p": 0.1, None: 0.2, "": 0.3, "q": 0.4}


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (2.5, -1.0), (-1e-4, 1e6)])
def test_follows_a_number_column(slope, intercept):
    frame = table().with_columns(x=pl.when(pl.col("b") != 1).then("x"))
    x = frame["x"].to_numpy()
    scores = np.where(np.isnan(x), 3.25, slope * x + intercept)
    rule = derive_rule(frame, scores, ["a", "b", "x"])
    assert isinstance(rule, ColumnRule)
    assert rule.column == "x"
    again = RuleModel(rule, CONTRACT).predict({"x": frame["x"]})
    np.testing.assert_allclose(again, scores, rtol=1e-9)


def test_a_rule_of_too_many_or_continuous_columns_is_refused():
    frame = table()
    for scores in (np.sin(frame["x"].to_numpy()), np.random.default_rng(1).random(len(frame))):
        with pytest.raises(ProjectError, match="a few categorical or rounded columns"):
            derive_rule(frame, scores, ["a", "b", "c", "x"])
    with pytest.raises(ProjectError, match="at most 1 columns"):
        tabulate(frame, frame["c"] + frame["b"].fill_null(9).to_numpy(), ["b", "c"], 1)


def test_a_unique_column_is_no_rule():
    frame = pl.DataFrame({"serial": [f"s{i}" for i in range(100)]})
    with pytest.raises(ProjectError):
        derive_rule(frame, np.random.default_rng(0).random(100), ["serial"])


@pytest.mark.parametrize(
    ("scores", "message"), [([], "no predictions"), ([0.1, float("nan")], "the first is row 1")]
)
def test_no_or_undefined_predictions(scores, message):
    frame = pl.DataFrame({"a": ["p"] * len(scores)}, schema={"a": pl.String})
    with pytest.raises(ProjectError, match=message):
        derive_rule(frame, np.array(scores), ["a"])


def test_too_many_cells_to_number():
    with pytest.raises(ValueError, match="cannot be numbered"):
        tabulate(table(), np.ones(600), ["a"], max_columns=8)


def test_large_tables_are_quick():
    rng = np.random.default_rng(0)
    n_rows = 80_000
    frame = pl.DataFrame(
        {f"c{i}": rng.integers(0, 2 + 3 * i, n_rows).astype(str) for i in range(11)}
        | {f"x{i}": rng.normal(size=n_rows) for i in range(4)}
    )
    scores = frame.select(pl.col("c3").cast(int) * 0.1 + pl.col("c7").cast(int) * 0.01)
    start = time.perf_counter()
    rule = derive_rule(frame, scores.to_series().to_numpy(), frame.columns)
    assert set(rule.columns) == {"c3", "c7"}
    assert time.perf_counter() - start < 3
