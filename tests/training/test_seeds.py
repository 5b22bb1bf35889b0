from __future__ import annotations

import random

import numpy as np
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from gleis.training.seeds import derive_seed, seed_estimator


def make():
    forest = RandomForestClassifier(n_estimators=5)
    stack = StackingClassifier([("f", forest)], LogisticRegression(random_state=7))
    return make_pipeline(stack)


def test_every_open_seed_is_set_and_named():
    estimator = make()
    used = seed_estimator(estimator, 3)
    params = estimator.get_params(deep=True)
    assert (
        used["stackingclassifier__f__random_state"] == params["stackingclassifier__f__random_state"]
    )
    assert used["stackingclassifier__final_estimator__random_state"] == 7
    assert all(v is not None for k, v in params.items() if k.endswith("random_state"))


def test_equal_seeds_give_equal_models():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 3)), rng.integers(0, 2, 80)
    scores = []
    for seed in (3, 3, 4):
        estimator = make()
        seed_estimator(estimator, seed)
        scores.append(estimator.fit(x, y).predict_proba(x))
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_global_generators_are_seeded():
    drawn = []
    for _ in range(2):
        seed_estimator(LogisticRegression(), 5)
        drawn.append((random.random(), float(np.random.random())))
    assert drawn[0] == drawn[1]


def test_names_have_seeds_of_their_own():
    assert derive_seed(0, "split") != derive_seed(0, "bootstrap") != derive_seed(1, "bootstrap")
