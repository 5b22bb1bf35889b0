from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from gleis.contracts.contract import Column, Contract
from gleis.evidence.metrics import metrics_of
from gleis.evidence.simpler import compare_simpler, simplicity_of

FEATURES = (
    Column(name="a", kind="number", nullable=True),
    Column(name="b", kind="integer"),
    Column(name="c", kind="category", categories=("x", "y", "z")),
    Column(name="d", kind="boolean"),
)


def contract(task="binary"):
    classes = {"binary": ("no", "yes"), "multiclass": ("p", "q", "r"), "regression": None}[task]
    return Contract(task=task, features=FEATURES, target="t", classes=classes)


def make(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    rows = pl.DataFrame(
        {
            "a": pl.Series(a).set(pl.Series(rng.random(n) < 0.05), None),
            "b": rng.integers(0, 5, n),
            "c": rng.choice(["x", "y", "z"], n),
            "d": rng.random(n) < 0.5,
        }
    )
    logit = 1.5 * a * (rows["c"] == "x").to_numpy() + 0.3 * rows["b"].to_numpy() - 0.6
    return rows, logit, rng


def compare(task="binary", y=None, scores=None, **changes):
    rows, logit, rng = make()
    p = 1 / (1 + np.exp(-logit))
    if task == "binary":
        y = (rng.random(len(p)) < p).astype(int) if y is None else y
    elif task == "multiclass":
        y = (rng.random(len(p)) < p) * (1 + (rows["c"] == "z").to_numpy()) if y is None else y
        z = (rows["c"] == "z").to_numpy()
        p = np.column_stack([1 - p, p * ~z, p * z])
    else:
        y = logit + rng.normal(0, 0.1, len(p)) if y is None else y
        p = logit
    arguments = {"n_replicates": 60, "seed": 0, **changes}
    return compare_simpler(
        y[1000:], p[1000:], rows[1000:], y[:1000], rows[:1000], contract(task), **arguments
    )


def probabilities(model, x, x_train, y_train):
    """Return scikit-learn's probabilities; of a tree by Laplace's rule, row by row."""
    if not hasattr(model, "tree_"):
        return model.predict_proba(x)
    leaves = model.apply(x_train)
    found = []
    for leaf in model.apply(x):
        there = y_train[leaves == leaf]
        found.append((there.sum() + 1) / (len(there) + 2))
    return np.column_stack([1 - np.array(found), found])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_model_that_knows_more_gains(task):
    found = compare(task)
    assert [rival.name for rival in found] == ["linear", "shallow_tree"]
    loss = "rmse" if task == "regression" else "log_loss"
    for rival in found:
        assert set(rival.figures) == {metric.name for metric in metrics_of(task)}
        assert rival.gain[loss].low > 0
        assert rival.notes == ()
    said = "Ridge" if task == "regression" else "Logistic"
    assert found[0].description.startswith(f"{said} regression on standardised numbers")


def test_where_the_truth_is_linear_complexity_buys_nothing():
    rng = np.random.default_rng(1)
    rows, *_ = make(4000)
    eta = rows["b"].to_numpy() * 0.5 - 1
    y = (rng.random(4000) < 1 / (1 + np.exp(-eta))).astype(int)
    overfitted = 1 / (1 + np.exp(-(eta + rng.normal(0, 0.7, 4000))))
    linear, _ = compare_simpler(
        y[2000:],
        overfitted[2000:],
        rows[2000:],
        y[:2000],
        rows[:2000],
        contract(),
        n_replicates=60,
        seed=0,
    )
    assert linear.gain["log_loss"].high < 0


def test_the_figures_are_those_of_sklearns_models():
    """On numbers without gaps the rivals are scikit-learn's own, fitted plainly."""
    rng = np.random.default_rng(2)
    rows = pl.DataFrame({"a": rng.normal(3, 2, 800), "b": rng.normal(size=800)})
    y = (rng.random(800) < 1 / (1 + np.exp(-rows["b"].to_numpy()))).astype(int)
    features = (Column(name="a", kind="number"), Column(name="b", kind="number"))
    found = compare_simpler(
        y[500:],
        np.full(300, 0.5),
        rows[500:],
        y[:500],
        rows[:500],
        Contract(task="binary", features=features, target="t", classes=("n", "y")),
        n_replicates=20,
        seed=0,
    )
    x = rows.to_numpy()
    linear = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-10)).fit(x[:500], y[:500])
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, random_state=0)
    tree.fit(x[:500], y[:500])
    for rival, theirs in zip(found, (linear, tree), strict=True):
        wanted = log_loss(y[500:], probabilities(theirs, x[500:], x[:500], y[:500]))
        assert rival.figures["log_loss"].value == pytest.approx(wanted, abs=1e-4)
        assert rival.gain["log_loss"].value == pytest.approx(wanted - np.log(2), abs=1e-4)


def test_ridge_is_near_least_squares():
    rng = np.random.default_rng(3)
    rows = pl.DataFrame({"a": rng.normal(size=600)})
    y = 3 * rows["a"].to_numpy() + rng.normal(size=600)
    made = Contract(task="regression", features=(FEATURES[0],), target="t")
    linear, _ = compare_simpler(
        y[300:], y[300:] * 0, rows[300:], y[:300], rows[:300], made, n_replicates=20, seed=0
    )
    x = rows.to_numpy()
    theirs = LinearRegression().fit(x[:300], y[:300]).predict(x[300:])
    assert linear.figures["rmse"].value == pytest.approx(
        np.sqrt(mean_squared_error(y[300:], theirs)), rel=0.01
    )


@pytest.mark.parametrize("itself", ["linear", "shallow_tree"])
def test_a_simple_model_is_not_compared_with_itself(itself):
    (rival,) = compare(itself=itself)
    assert rival.name != itself
    assert "itself and was not compared" in rival.notes[0]


def test_a_note_says_that_training_rows_are_a_sample():
    first, again = compare(n_train=5000), compare(n_train=5000, notes=["And more."])
    assert first[0].notes == ("Fitted on 1,000 of 5,000 training rows, a random sample.",)
    assert again[0].notes == (*first[0].notes, "And more.")
    assert again[0].figures == first[0].figures


def test_one_class_in_training_is_unknown():
    y = np.zeros(1500, dtype=int)
    y[1000:] = np.arange(500) % 2
    for rival in compare(y=y):
        assert rival.figures == rival.gain == {}
        assert "one class only" in rival.notes[0]


def test_a_class_that_training_never_saw_gets_probability_0():
    y = np.arange(1500) % 2
    y[1000:] = 2
    linear, _ = compare("multiclass", y=y)
    assert linear.figures["accuracy"].value == 0


def test_no_feature_that_varies():
    made = Contract(
        task="binary", features=(Column(name="a", kind="number"),), target="t", classes=("n", "y")
    )
    y = np.arange(100) % 2
    rows = pl.DataFrame({"a": [1.0] * 100})
    for rival in compare_simpler(
        y, np.full(100, 0.5), rows, y, rows, made, n_replicates=20, seed=0
    ):
        assert rival.figures == {}
        assert "no feature varies" in rival.notes[0]


def test_what_is_simple_itself():
    x, y = np.arange(40.0)[:, None], np.arange(40) % 7 > 3
    deep, shallow = DecisionTreeClassifier(), DecisionTreeClassifier(max_depth=2)
    assert simplicity_of(shallow.fit(x, y)) == "shallow_tree"
    assert simplicity_of(deep.fit(x, y)) is None
    assert simplicity_of(make_pipeline(StandardScaler(), LogisticRegression())) == "linear"
    assert simplicity_of(RandomForestClassifier()) is None


def test_a_wide_model_is_fitted_without_a_word(recwarn):
    rng = np.random.default_rng(4)
    rows = pl.DataFrame({f"c{k}": rng.normal(size=600) for k in range(450)})
    y = (rng.random(600) < 1 / (1 + np.exp(-3 * rows["c0"].to_numpy()))).astype(int)
    features = tuple(Column(name=name, kind="number") for name in rows.columns)
    made = Contract(task="binary", features=features, target="t", classes=("n", "y"))
    linear, _ = compare_simpler(
        y[400:], np.full(200, 0.5), rows[400:], y[:400], rows[:400], made, n_replicates=20, seed=0
    )
    assert linear.figures["roc_auc"].value > 0.6
    assert not recwarn.list
