from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from gleis.evidence.mitigation.encoding import column_encoder
from gleis.evidence.mitigation.prejudice_remover import PrejudiceRemover, prejudice_index
from mitigated_models import make


def test_the_index_is_the_mutual_information_of_group_and_answer():
    rng = np.random.default_rng(0)
    scores, codes = rng.uniform(0.05, 0.95, 300), rng.integers(0, 3, 300)
    groups = [scores[codes == s] for s in range(3)]
    within = sum(g.size / 300 * entropy([g.mean(), 1 - g.mean()]) for g in groups)
    expected = entropy([scores.mean(), 1 - scores.mean()]) - within
    assert prejudice_index(scores, codes)[0] == pytest.approx(expected, abs=1e-14)


def test_without_the_penalty_it_is_a_logistic_regression(lending, model):
    rows, paid = lending
    seen = rows.drop("sex")
    oracle = make_pipeline(column_encoder(seen), LogisticRegression(tol=1e-10, max_iter=10000))
    oracle.fit(seen, paid)
    found = make("prejudice_remover", model, strength=0.0).fit(rows, paid)
    np.testing.assert_allclose(found.predict_proba(rows), oracle.predict_proba(seen), atol=1e-6)


def test_the_gradient_is_that_of_the_objective():
    rng = np.random.default_rng(1)
    matrix, labels, codes = rng.normal(size=(50, 3)), rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    found, weights, step = PrejudiceRemover(protected=["s"]), rng.normal(size=4), 1e-6
    _, gradient = found.objective(weights, matrix, labels, codes)
    numeric = [
        (
            found.objective(weights + e, matrix, labels, codes)[0]
            - found.objective(weights - e, matrix, labels, codes)[0]
        )
        / (2 * step)
        for e in step * np.eye(4)
    ]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)


def test_strength_takes_the_prejudice_away(lending, model):
    rows, paid = lending
    left = [
        make("prejudice_remover", model, strength=s).fit(rows, paid).index_ for s in (0, 0.1, 1)
    ]
    assert left[0] > 0.01 > left[1] > left[2]
    assert left[2] < 0.02 * left[0]
