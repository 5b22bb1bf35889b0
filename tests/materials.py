"""What sections of the evidence are made from, for a small model that fits in a blink."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from gleis.config.settings import Settings
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel
from gleis.training.material import Material
from gleis.training.prepare import prepare


def make_frame(n: int = 1200, seed: int = 0) -> pl.DataFrame:
    """Return purchases: the price matters, and the channel."""
    rng = np.random.default_rng(seed)
    price, channel = rng.normal(10, 2, n), rng.choice(["web", "shop", "phone"], n)
    logit = 10 - price + 1.5 * (channel == "web")
    return pl.DataFrame(
        {
            "price": price,
            "pages": rng.integers(1, 12, n),
            "channel": channel,
            "region": rng.choice(["north", "south"], n),
            "bought": (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int),
        }
    )


def linear_model() -> Any:
    """Return an unfitted logistic regression on the features of ``make_frame``."""
    encode = (OneHotEncoder(handle_unknown="ignore"), ["channel"])
    columns = make_column_transformer(encode, ("passthrough", ["price", "pages"]))
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def make_material(
    estimator: Any = None,
    frame: pl.DataFrame | None = None,
    *,
    compiled: bool = False,
    **tables: dict[str, Any],
) -> Material:
    """Fit an estimator on rows and return what a section gets.

    ``tables`` are tables of ``gleis.toml`` beside ``[project]``.
    """
    project = {"name": "shop", "module": "shop", "task": "binary", "target": "bought"}
    tables = {"features": {"exclude": ["region"]}, "evidence": {"bootstrap": 30}, **tables}
    settings = msgspec.convert({"project": project, **tables}, Settings)
    prepared = prepare(make_frame() if frame is None else frame, settings)
    estimator = linear_model() if estimator is None else estimator
    features = SklearnModel.frame(prepared.features, prepared.contract)
    estimator.fit(features[prepared.split.train], prepared.target[prepared.split.train])
    fitted = SklearnModel(estimator, prepared.contract)
    model = CompiledModel(compile_estimator(estimator, prepared.contract)) if compiled else fitted
    test = features[prepared.split.test]
    scores = fitted.predict({name: test[name] for name in test.columns})
    return Material(
        settings=settings,
        prepared=prepared,
        model=model,
        scores=scores,
        baseline_scores=np.full(len(scores), prepared.target.mean()),
        build=linear_model,
        seed=1,
    )
