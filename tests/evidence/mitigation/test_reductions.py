"""Exponentiated gradient, grid search and bounded group loss beside Fairlearn itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from fairlearn import reductions
from sklearn.linear_model import LinearRegression, LogisticRegression

from gleis.contracts.errors import ConfigError
from gleis.evidence.mitigation.reductions import group_loss, loosened
from mitigated_models import make

# Fairlearn 0.15 writes into pandas tables in ways that pandas 3 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:fairlearn.*")

MOMENTS = {
    "equalized_odds": reductions.EqualizedOdds,
    "statistical_parity": reductions.DemographicParity,
    "equal_opportunity": reductions.TruePositiveRateParity,
}


@pytest.fixture(scope="module")
def numbers(lending):
    rows, paid = lending
    return rows.select("sex", "income", "debt"), paid


@pytest.mark.parametrize("constraint", MOMENTS)
def test_fairlearn_mixes_the_same_models(numbers, constraint):
    rows, paid = numbers
    table, sex = rows.drop("sex").to_numpy(), rows["sex"].to_numpy()
    found = make("exponentiated_gradient", LogisticRegression(), constraint=constraint)
    found.fit(rows, paid)
    oracle = reductions.ExponentiatedGradient(
        LogisticRegression(), MOMENTS[constraint](difference_bound=0.01), max_iter=10
    ).fit(table, paid, sensitive_features=sex)
    weights = oracle.weights_.sort_index().to_numpy()
    np.testing.assert_allclose(found.weights_, weights, atol=1e-9)
    answers = np.array([one.predict_proba(table)[:, -1] for one in oracle.predictors_])
    constant = [len(one.classes_) == 1 for one in oracle.predictors_]
    assert not any(np.array(constant) & (weights > 1e-6))
    np.testing.assert_allclose(found.predict_proba(rows)[:, 1], weights @ answers, atol=1e-9)


def test_fairlearn_finds_the_same_model_of_the_grid(numbers):
    rows, paid = numbers
    table, sex = rows.drop("sex").to_numpy(), rows["sex"].to_numpy()
    found = make("grid_search", LogisticRegression(), constraint="statistical_parity")
    found.fit(rows, paid)
    oracle = reductions.GridSearch(
        LogisticRegression(), reductions.DemographicParity(), grid_size=8
    ).fit(table, paid, sensitive_features=sex)
    np.testing.assert_allclose(found.predict_proba(rows), oracle.predict_proba(table), atol=1e-9)


@pytest.mark.parametrize("name", ["exponentiated_gradient", "grid_search"])
def test_selection_rates_come_nearer(name, numbers):
    rows, paid = numbers
    women = (rows["sex"] == "f").to_numpy()

    def apart(strength):
        found = make(name, LogisticRegression(), constraint="statistical_parity", strength=strength)
        chosen = found.fit(rows, paid).predict(rows)
        return abs(chosen[women].mean() - chosen[~women].mean())

    assert apart(1.0) < 0.5 * apart(0.0)


def test_the_favourable_class_decides_whose_opportunity_is_equal(numbers):
    rows, paid = numbers
    good, bad = (
        make("grid_search", LogisticRegression(), constraint="equal_opportunity", favourable=f)
        .fit(rows, paid)
        .predict_proba(rows)
        for f in (1, 0)
    )
    assert np.abs(good - bad).max() > 0.01


def test_the_worst_group_of_a_regression_is_served_better(numbers):
    rows, _ = numbers
    rng = np.random.default_rng(1)
    women = (rows["sex"] == "f").to_numpy()
    income = (rows["income"] - rows["income"].mean()).to_numpy()
    # Few women, whose values follow income the other way round.
    kept = ~women | (rng.random(600) < 0.3)
    rows, women, income = rows.filter(kept), women[kept], income[kept]
    values = np.where(women, -1000.0, 1000.0) * income + rng.normal(0, 100, rows.height)

    def losses(strength):
        found = make("bounded_group_loss", LinearRegression(), strength=strength)
        left = (found.fit(rows, values).predict(rows) - values) ** 2
        return left[women].mean(), left[~women].mean(), found

    worst, other, _ = losses(0.0)
    bounded, paid_for, found = losses(0.5)
    assert worst > 2 * other
    assert bounded < 0.9 * worst
    assert paid_for > other
    assert bounded <= found.bound_ * 1.02
    assert found.bound_ == pytest.approx((worst + _mean(worst, other, women)) / 2)


def _mean(worst, other, women):
    return worst * women.mean() + other * (1 - women.mean())


def test_weights_by_look_up_are_fairlearns():
    rng = np.random.default_rng(0)
    labels, groups = rng.random(40), rng.choice(["a", "b", "c"], 40)
    quick = group_loss(reductions.SquareLoss(0, 1), 0.1)
    plain = reductions.BoundedGroupLoss(reductions.SquareLoss(0, 1), upper_bound=0.1)
    for moment in (quick, plain):
        moment.load_data(np.zeros((40, 1)), labels, sensitive_features=groups)
    costs = plain.prob_attr * 0 + [0.5, 1.0, 2.0]
    for multipliers in (None, costs):
        expected = plain.signed_weights(multipliers)
        np.testing.assert_allclose(quick.signed_weights(multipliers), expected)
    means = [moment.default_objective() for moment in (quick, plain)]
    for mean in means:
        mean.load_data(np.zeros((40, 1)), labels, sensitive_features=groups)
    np.testing.assert_allclose(means[0].signed_weights(), means[1].signed_weights())


def test_a_bound_out_of_reach_is_said(numbers):
    rows, paid = numbers
    sex = (rows["sex"] == "f").to_numpy()
    noisy = np.where(sex, np.random.default_rng(0).integers(0, 2, 600), paid)
    found = make("bounded_group_loss", LogisticRegression()).fit(rows, noisy)
    assert "is out of reach" in found.notes()[0]


def test_the_bound_goes_from_the_plain_violation_to_the_floor():
    assert [loosened(0.21, s) for s in (0.0, 0.5, 1.0)] == pytest.approx([0.21, 0.11, 0.01])


def test_without_fairlearn_the_error_says_what_to_install(numbers, monkeypatch):
    rows, paid = numbers
    monkeypatch.setitem(sys.modules, "fairlearn.reductions", None)
    with pytest.raises(ConfigError, match=r"pip install 'gleis\[fairness\]'"):
        make("grid_search", LogisticRegression()).fit(rows, paid)
