"""Models that are made once, and models whose effects are known in closed form."""

from __future__ import annotations

from functools import cache

import numpy as np
from explained_models import explainable, flights
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from gleis.contracts.contract import Column, Contract
from gleis.evidence.explain.explainable import make_explainable
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.model import CompiledModel

once = cache(explainable)
"""``explained_models.explainable``, fitted once."""
ROWS, _ = flights(300, seed=3)
NAMES = ("a", "b", "c", "d")


def matrix_of(count=400, seed=0):
    """Return (count, 4): correlated a and b, whole c, and d with missing values."""
    draw = np.random.default_rng(seed)
    a = draw.normal(size=count)
    b = a + 0.3 * draw.normal(size=count)
    c = draw.integers(0, 6, count).astype(float)
    d = np.where(draw.random(count) < 0.2, np.nan, draw.normal(size=count))
    return np.column_stack([a, b, c, d])


def columns_of(matrix):
    return {name: matrix[:, j] for j, name in enumerate(NAMES[: matrix.shape[1]])}


def contract_of(task="regression", n_features=4):
    classes = {"binary": ("0", "1"), "multiclass": ("0", "1", "2")}.get(task)
    features = tuple(Column(name=name, kind="number", nullable=True) for name in NAMES[:n_features])
    return Contract(task=task, features=features, target="y", classes=classes)


class Formula:
    """A model that is a function of its columns."""

    def __init__(self, function):
        self.function = function

    def predict(self, columns):
        return np.asarray(self.function(**{k: np.asarray(v) for k, v in columns.items()}))


def by_formula(function, matrix, **more):
    """Return a model of a formula, explained over a matrix of numbers."""
    contract = contract_of(n_features=matrix.shape[1])
    return make_explainable(Formula(function), contract, columns_of(matrix), **more)


FORESTS = {
    "hist": (HistGradientBoostingRegressor(max_iter=20, random_state=0), "regression", 4),
    "hist binary": (HistGradientBoostingClassifier(max_iter=20, random_state=0), "binary", 4),
    "hist classes": (HistGradientBoostingClassifier(max_iter=8, random_state=0), "multiclass", 4),
    "boosted": (GradientBoostingRegressor(n_estimators=20, random_state=0), "regression", 3),
    "forest": (
        RandomForestRegressor(n_estimators=8, max_depth=5, random_state=0),
        "regression",
        3,
    ),
}
"""Estimator, task, and how many features it sees: those without missing values where need be."""


@cache
def forest(name):
    """Return a fitted estimator of ``FORESTS``, its compiled form explained, and the matrix."""
    estimator, task, width = FORESTS[name]
    matrix = matrix_of()[:, :width]
    total = matrix[:, 0] * matrix[:, 2] + np.nan_to_num(matrix[:, -1])
    y = {
        "regression": total,
        "binary": (total > 0).astype(int),
        "multiclass": np.digitize(total, [-1.0, 1.0]),
    }[task]
    estimator.fit(matrix, y)
    contract = contract_of(task, width)
    model = CompiledModel(compile_estimator(estimator, contract))
    return estimator, make_explainable(model, contract, columns_of(matrix)), matrix
