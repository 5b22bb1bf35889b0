from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import sklearn.metrics

from evidence_rows import CONTRACT, Formula, labels_of, make_rows
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import ConfigError
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.metrics import metrics_of
from gleis.evidence.robustness.damage import KINDS
from gleis.evidence.robustness.examine import damage_figures, examine_robustness
from gleis.evidence.robustness.names import CHANGES, PERTURBATIONS
from gleis.evidence.robustness.table import read_table
from gleis.evidence.robustness.usual import usual_of

ROWS, TRAIN = make_rows(), make_rows(1500, seed=5)
Y = labels_of(ROWS)


def examine(model=None, rows=ROWS, y=Y, contract=CONTRACT, train=TRAIN, **changes):
    arguments = {"n_replicates": 40, "seed": 0, "budget": (1000, 100), **changes}
    return examine_robustness(model or Formula(), rows, y, train, contract, **arguments)


@pytest.fixture(scope="module")
def found():
    return examine()


def by_name(robustness):
    return {each.name: each for each in robustness.perturbations}


def test_every_kind_is_there_with_every_figure(found):
    assert [each.name for each in found.perturbations] == list(PERTURBATIONS)
    names = {metric.name for metric in metrics_of("binary")}
    wanted = names | {f"{name}_drop" for name in names} | set(CHANGES)
    for each in found.perturbations:
        assert set(each.figures) == wanted, each.name
        assert each.description.endswith(".")
    assert found.rows == 1000
    assert "1,000 of 2,000 test rows" in found.notes[0]


def test_more_noise_does_more_harm(found):
    drops = [by_name(found)[f"noise_{n}pct"].figures["roc_auc_drop"].value for n in (1, 5, 10, 25)]
    flips = [by_name(found)[f"noise_{n}pct"].figures["flips"].value for n in (1, 5, 10, 25)]
    assert drops[-1] > max(drops[:2])
    assert flips == sorted(flips)


def test_the_figures_are_sklearns_on_the_damaged_rows():
    """All rows are used, in an order we can repeat, so scikit-learn sees the same rows."""
    n = len(Y)
    found = by_name(examine(budget=(n, 50)))
    seed = (0, *b"robustness")
    at = np.random.default_rng(seed).permutation(n)[:n]
    usual = read_table(TRAIN, CONTRACT)
    table = read_table(ROWS[at], CONTRACT, usual.words)
    truth, before = Y[at], Formula().predict(table.columns())
    for kind in KINDS:
        after = Formula().predict(kind(table, usual_of(usual), seed).table.columns())
        figures = found[kind.name].figures
        for name, theirs in (
            ("roc_auc", sklearn.metrics.roc_auc_score),
            ("log_loss", sklearn.metrics.log_loss),
            ("brier", sklearn.metrics.brier_score_loss),
        ):
            value, was = theirs(truth, after), theirs(truth, before)
            drop = was - value if name == "roc_auc" else value - was
            assert figures[name].value == pytest.approx(value, abs=1e-9)
            assert figures[f"{name}_drop"].value == pytest.approx(drop, abs=1e-9)
        assert figures["flips"].value == pytest.approx(((before > 0.5) != (after > 0.5)).mean())
        assert figures["score_change"].value == pytest.approx(np.abs(before - after).mean())


def test_drops_are_the_paired_gain_of_the_rows_before():
    rng = np.random.default_rng(0)
    before = rng.random(300)
    y = (rng.random(300) < before).astype(int)
    after = np.clip(before + rng.normal(0, 0.2, 300), 0, 1)
    found = damage_figures(y, before, {"x": after}, "binary", n_replicates=50, seed=3)["x"]
    paired = bootstrap_figures(
        y, before, metrics_of("binary"), n_replicates=50, seed=3, baseline_scores=after
    )
    for name, figure in paired.gain.items():
        assert found[f"{name}_drop"] == figure
        assert found[name] == paired.baseline[name]


def test_the_same_seed_gives_the_same(found):
    assert examine() == found
    assert examine(seed=1) != found


def test_a_model_that_refuses_unseen_words_is_unknown_there():
    found = by_name(examine(Formula(refuses=("never seen",))))
    assert found["unseen_category"].figures == {}
    assert "The model refuses such rows: ValueError" in found["unseen_category"].description
    assert found["swapped_5pct"].figures


def test_stated_errors_of_measurement_are_used():
    small = by_name(examine(measurement_error={"price": 1e-9, "age": 1e-9}))["adversarial_1pct"]
    large = by_name(examine(measurement_error={"price": 0.5}))["adversarial_1pct"]
    assert small.figures["score_change"].value < 1e-6
    assert large.figures["score_change"].value > 0.02
    assert large.figures["log_loss_drop"].value > 0
    assert "stated error" in large.description
    with pytest.raises(ConfigError, match="Did you mean price"):
        examine(measurement_error={"pric": 0.5})


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(task):
    classes = ("no", "yes", "maybe") if task == "multiclass" else None
    contract = Contract(task=task, features=CONTRACT.features, target="y", classes=classes)
    several = Y * (1 + np.arange(len(Y)) % 2)
    y = several if task == "multiclass" else Formula(task=task).predict(ROWS) + 0.1
    found = by_name(examine(Formula(task=task), y=y, contract=contract))
    assert ("flips" in found["noise_10pct"].figures) == (task == "multiclass")
    loss = "log_loss_drop" if task == "multiclass" else "rmse_drop"
    assert found["stuck_feature"].figures[loss].low > 0
    assert found["adversarial_1pct"].figures[loss].value > 0


def test_one_class_leaves_what_is_defined():
    found = by_name(examine(y=np.zeros(len(Y), dtype=int)))
    figures = found["noise_10pct"].figures
    assert "roc_auc_drop" not in figures
    assert "log_loss_drop" in figures


def test_three_rows():
    found = examine(rows=ROWS[:3], y=Y[:3])
    assert found.rows == 3
    assert by_name(found)["noise_10pct"].figures["flips"].value in (0, 1 / 3, 2 / 3, 1)


def test_no_number_and_no_category():
    words = Contract(task="binary", features=CONTRACT.features[3:], target="y")

    class Shop:
        def predict(self, columns):
            return 0.2 + 0.5 * (pl.Series(columns["shop"]) == "b").to_numpy()

    found = examine(Shop(), contract=words)
    assert set(by_name(found)) == {"swapped_5pct", "unseen_category", "stuck_feature"}
    said = " ".join(found.notes)
    assert "noise_25pct: no number varies" in said
    assert "adversarial_1pct: no number" in said
    assert "these may not be missing and were kept: shop, member" in said


def test_columns_without_values_and_constant_ones():
    features = (
        Column(name="price", kind="number", low=-4.0, high=4.0),
        Column(name="same", kind="number", low=1.0, high=1.0),
        Column(name="gone", kind="number", nullable=True),
        Column(name="void", kind="category", categories=(), nullable=True),
    )
    rows = ROWS.select(
        "price",
        same=pl.lit(1.0),
        gone=pl.lit(None, pl.Float64),
        void=pl.lit(None, pl.String),
    )

    class Price:
        def predict(self, columns):
            return 1 / (1 + np.exp(-np.clip(columns["price"], -9, 9)))

    contract = Contract(task="binary", features=features, target="y")
    found = by_name(examine(Price(), rows=rows, train=rows, contract=contract))
    assert found["missing_10pct"].figures["flips"].value == 0
    assert found["stuck_feature"].description.startswith("price is stuck")
