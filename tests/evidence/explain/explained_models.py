"""Small compiled models and what explains them, for the tests of explanations."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from gleis.contracts.contract import Column, Contract
from gleis.evidence.explain.explainable import Explainable, make_explainable
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel

FEATURES = (
    Column(name="carrier", kind="category", categories=("AA", "B6", "UA")),
    Column(name="distance", kind="number", low=80.0, high=5000.0),
    Column(name="temp", kind="number", nullable=True, low=-10.0, high=40.0),
    Column(name="hour", kind="integer", low=0, high=23),
    Column(name="night", kind="boolean"),
)
CONTRACTS = {
    "binary": Contract(task="binary", features=FEATURES, target="late", classes=("no", "yes")),
    "multiclass": Contract(
        task="multiclass", features=FEATURES, target="kind", classes=("early", "late", "on time")
    ),
    "regression": Contract(task="regression", features=FEATURES, target="delay"),
}
ROW = {"carrier": "UA", "distance": 800.0, "temp": 12.5, "hour": 17, "night": False}


def flights(count: int, seed: int = 0):
    """Return columns, each (count,), and a delay in minutes that depends on them."""
    draw = np.random.default_rng(seed)
    hour = draw.integers(0, 24, count)
    temp = np.where(draw.random(count) < 0.1, np.nan, draw.normal(12, 9, count))
    columns = {
        "carrier": draw.choice(["AA", "B6", "UA"], count).tolist(),
        "distance": draw.uniform(80, 5000, count).tolist(),
        "temp": [None if np.isnan(t) else float(t) for t in temp],
        "hour": hour.tolist(),
        "night": (hour > 20).tolist(),
    }
    cold = np.where(np.isnan(temp), 5.0, np.maximum(0.0, 10 - temp))
    late = np.array(columns["carrier"]) == "UA"
    delay = 2.0 * hour + cold + 12.0 * late * (hour > 15) + draw.normal(0, 4, count)
    return columns, delay


def fitted(task: str, count: int = 1500, iterations: int = 30):
    """Return a fitted pipeline of boosted trees with a categorical split, and its compiled form."""
    contract = CONTRACTS[task]
    columns, delay = flights(count)
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    pipeline = make_pipeline(
        make_column_transformer((codes, ["carrier"]), remainder="passthrough"),
        kind(max_iter=iterations, categorical_features=[0], random_state=0),
    )
    target = {
        "regression": delay,
        "binary": (delay > 32).astype(int),
        "multiclass": np.digitize(delay, [20, 40]),
    }[task]
    pipeline.fit(SklearnModel.frame(columns, contract), target)
    return pipeline, CompiledModel(compile_estimator(pipeline, contract))


@cache
def explainable(task: str, *, compiled: bool = True, **more) -> Explainable:
    """Return a model of ``task``, with 200 background rows."""
    pipeline, model = fitted(task)
    contract = CONTRACTS[task]
    background, _ = flights(200, seed=7)
    return make_explainable(
        model if compiled else SklearnModel(pipeline, contract), contract, background, **more
    )
