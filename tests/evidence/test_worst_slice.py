from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy.stats

from gleis.evidence.losses import log_losses
from gleis.evidence.metrics import METRICS
from gleis.evidence.worst_slice import find_worst_slice, permutation_p_value


def make(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    rows = pl.DataFrame(
        {
            "hour": rng.integers(0, 24, n),
            "temp": rng.normal(10, 8, n),
            "carrier": rng.choice(["UA", "AA", "DL", "B6"], n),
            "late": pl.Series(rng.choice([0.0, 1.0], n)).set(pl.Series(rng.random(n) < 0.2), None),
        }
    )
    p = rng.beta(2, 3, n)
    return rows, p, (rng.random(n) < p).astype(int), rng


def find(y, p, rows, task="binary", min_rows=100, **changes):
    arguments = {"n_replicates": 40, "seed": 0, **changes}
    return find_worst_slice(y, p, rows, rows.columns, task, min_rows=min_rows, **arguments)


def test_a_planted_slice_is_found_and_measured_on_rows_that_did_not_choose_it():
    rows, p, y, rng = make()
    planted = ((rows["carrier"] == "UA") & (rows["late"] == 1.0)).fill_null(False).to_numpy()
    y = np.where(planted, rng.random(len(y)) < 1 - p, y).astype(int)
    found = find(y, p, rows)
    assert set(found.conditions) == {"carrier = UA", "late = 1"}
    assert found.p_value == 0.001
    assert found.searched > 1000
    # Its honest figures hold what a fresh sample says of the slice.
    rows, p, y, rng = make(200_000, seed=9)
    planted = ((rows["carrier"] == "UA") & (rows["late"] == 1.0)).fill_null(False).to_numpy()
    y = np.where(planted, rng.random(len(y)) < 1 - p, y).astype(int)
    losses = log_losses(y, p)
    truth = {
        "log_loss": losses[planted].mean(),
        "log_loss_ratio": losses[planted].mean() / losses.mean(),
        "roc_auc": METRICS["roc_auc"](y[planted], p[planted]),
    }
    for name, value in truth.items():
        figure = found.figures[name]
        width = figure.high - figure.low
        assert figure.low - width / 2 <= value <= figure.high + width / 2, name


def test_the_slice_holds_the_rows_it_says():
    rows, p, y, _ = make()
    worse = (rows["hour"] > 17).to_numpy()
    y = np.where(worse, (p < 0.5).astype(int), y)
    found = find(y, p, rows.select("hour", "carrier"))
    assert any(text.startswith("hour > 1") for text in found.conditions)
    assert "chose the slice" in found.notes[0]
    assert 0.2 * 3000 < found.rows < 0.35 * 3000
    assert found.figures["log_loss"].value > log_losses(y, p).mean()


def test_without_a_slice_the_p_value_is_uniform_and_the_intervals_hold():
    """Loss depends on no column: P(p <= x) = x, and each slice's true loss is that of all rows.

    Measured on the rows that chose the slice, nearly every p-value would be small, and nearly no
    interval would hold the truth.
    """
    p = np.random.default_rng(0).beta(2, 3, 1_000_000)
    truth = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()
    values, held = [], 0
    for seed in range(120):
        rows, p, y, _ = make(800, seed=100 + seed)
        some = rows.select("hour", "carrier", "late")
        found = find(y, p, some, seed=seed, min_rows=100, n_replicates=200)
        values.append(found.p_value)
        held += found.figures["log_loss"].low <= truth <= found.figures["log_loss"].high
    assert scipy.stats.kstest(values, "uniform").pvalue > 0.01
    assert np.mean(np.array(values) <= 0.05) <= 0.12
    # 95% of 120 is 114, with a standard deviation of 2.4; slices of 50 rows cost a little.
    assert held >= 105


def test_the_permutation_test_is_scipys():
    rng = np.random.default_rng(3)
    loss, inside = rng.exponential(size=300), np.arange(300) < 60
    loss[inside] += 0.2
    theirs = scipy.stats.permutation_test(
        (loss[inside], loss[~inside]),
        lambda a, b: a.mean() - b.mean(),
        alternative="greater",
        n_resamples=4000,
        rng=np.random.default_rng(0),
        vectorized=False,
    ).pvalue
    ours = permutation_p_value(loss, inside, np.random.default_rng(1))
    assert ours == pytest.approx(theirs, abs=0.03)
    most = permutation_p_value(loss, ~inside, np.random.default_rng(1))
    assert most == pytest.approx(1 - theirs, abs=0.03)


def test_equal_losses_have_no_worst_slice():
    rows, *_ = make(1000)
    found = find(np.ones(1000), np.zeros(1000), rows, task="regression")
    assert found.p_value == 1.0
    assert found.figures["rmse_ratio"].value == pytest.approx(1.0)


def test_the_seed_decides():
    rows, p, y, _ = make(1500)
    assert find(y, p, rows) == find(y, p, rows)
    assert find(y, p, rows, seed=1) != find(y, p, rows)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(task):
    rows, p, y, rng = make()
    worse = (rows["carrier"] == "DL").to_numpy()
    if task == "multiclass":
        scores = np.column_stack([1 - p, 0.7 * p, 0.3 * p])
        y = np.where(worse, rng.integers(0, 3, len(y)), y)
        names = {"accuracy", "log_loss", "roc_auc_ovr", "log_loss_ratio"}
    else:
        scores, y = p, p + rng.normal(0, np.where(worse, 3.0, 1.0))
        names = {"mae", "rmse", "mae_ratio", "rmse_ratio"}
    found = find(y, scores, rows, task=task)
    assert "carrier = DL" in found.conditions
    assert set(found.figures) == names
    assert found.p_value < 0.01


@pytest.mark.parametrize(
    ("rows", "min_rows"),
    [
        (pl.DataFrame({"a": [1.0, 2.0, 3.0]}), 10),
        (pl.DataFrame({"a": [1.0] * 500}), 10),
        (pl.DataFrame({"a": np.arange(500.0)}), 1000),
        (pl.DataFrame({"a": [f"w{k}" for k in range(300)]}), 400),
        (pl.DataFrame({"a": [1.0]}), 10),
    ],
    ids=["three rows", "constant", "min_slice too large", "text", "one row"],
)
def test_nothing_to_search_is_unknown_not_good(rows, min_rows):
    found = find(np.zeros(rows.height), np.full(rows.height, 0.1), rows, min_rows=min_rows)
    assert found.conditions == ()
    assert found.figures == {}
    assert found.rows == found.searched == 0
    assert found.notes[0].startswith("No slice has ")


def test_many_columns_are_narrowed_to_those_that_matter():
    rng = np.random.default_rng(0)
    n = 2000
    columns = {f"c{k}": rng.choice(["x", "y"], n) for k in range(60)}
    p = rng.beta(2, 3, n)
    y = np.where(columns["c41"] == "x", p < 0.5, rng.random(n) < p).astype(int)
    found = find(y, p, pl.DataFrame(columns))
    assert "c41 = x" in found.conditions
    assert any("40 of 60 columns" in note for note in found.notes)


def test_one_class_leaves_what_is_defined():
    rows, p, *_ = make(1000)
    found = find(np.zeros(1000, dtype=int), p, rows)
    assert "roc_auc" not in found.figures
    assert "log_loss_ratio" in found.figures
