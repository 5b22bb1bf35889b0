from __future__ import annotations

import numpy as np
import pytest
from fairlearn.postprocessing import ThresholdOptimizer

from gleis.evidence.mitigation import held_out
from mitigated_models import make

NAMES = {
    "statistical_parity": "demographic_parity",
    "equalized_odds": "equalized_odds",
    "equal_opportunity": "true_positive_rate_parity",
}


@pytest.fixture
def in_sample(monkeypatch):
    """Scores of a fit on the rows themselves, which is what Fairlearn takes."""

    def scores(estimator, table, labels, *_):
        return estimator.fit(table, labels).predict_proba(table)[:, 1]

    monkeypatch.setattr(held_out, "held_out_scores", scores)


@pytest.mark.parametrize("constraint", NAMES)
def test_fairlearn_gives_the_same_chances(constraint, in_sample, lending, model):
    rows, paid = lending
    found = make("threshold_optimizer", model, constraint=constraint).fit(rows, paid)
    table = rows.drop("sex").to_pandas()
    oracle = ThresholdOptimizer(
        estimator=model.fit(table, paid),
        constraints=NAMES[constraint],
        prefit=True,
        predict_method="predict_proba",
    ).fit(table, paid, sensitive_features=rows["sex"].to_numpy())
    expected = oracle._pmf_predict(table, sensitive_features=rows["sex"].to_numpy())[:, 1]
    np.testing.assert_allclose(found.chances(rows), expected, atol=1e-9)


@pytest.mark.parametrize("constraint", ["statistical_parity", "equal_opportunity"])
def test_one_rate_is_alike_to_a_row(constraint, in_sample, lending, model):
    rows, paid = lending
    found = make("threshold_optimizer", model, constraint=constraint).fit(rows, paid)
    counted = paid == 1 if constraint == "equal_opportunity" else np.ones(600, bool)
    women = (rows["sex"] == "f").to_numpy()
    chosen = found.predict(rows)
    rates = [chosen[counted & part].mean() for part in (women, ~women)]
    smallest = min((counted & women).sum(), (counted & ~women).sum())
    assert abs(rates[0] - rates[1]) <= 1.5 / smallest


def test_both_rates_come_nearer_and_lots_are_mentioned(lending, model):
    rows, paid = lending
    found = make("threshold_optimizer", model, constraint="equalized_odds").fit(rows, paid)
    women = (rows["sex"] == "f").to_numpy()

    def apart(chosen):
        return max(
            abs(chosen[(paid == y) & women].mean() - chosen[(paid == y) & ~women].mean())
            for y in (0, 1)
        )

    plain = model.fit(rows.drop("sex"), paid).predict(rows.drop("sex"))
    assert apart(found.predict(rows)) < 0.7 * apart(plain)
    assert "by lot" in found.notes()[0]
