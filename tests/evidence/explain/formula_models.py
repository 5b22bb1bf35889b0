"""Models that are a formula over numbers: closed forms say what explains them."""

from __future__ import annotations

import numpy as np

from gleis.contracts.contract import Column, Contract
from gleis.evidence.explain.coding import Coding
from gleis.evidence.explain.explainable import Explainable, make_explainable


class Formula:
    """Scores rows by a function of their matrix."""

    def __init__(self, contract: Contract, function) -> None:
        self._coding = Coding(contract)
        self._function = function

    def predict(self, columns):
        return np.asarray(
            self._function(self._coding.knowing(columns).encode(columns)), dtype=float
        )


def number(name: str, *, nullable: bool = False, low=None, high=None) -> Column:
    return Column(name=name, kind="number", nullable=nullable, low=low, high=high)


def contract(*features: Column, task: str = "binary", classes=("no", "yes")) -> Contract:
    return Contract(
        task=task,
        features=features,
        target="y",
        classes=None if task == "regression" else classes,
    )


def formula(function, features: Contract, background, **more) -> Explainable:
    """Return a model that scores rows by ``function`` of their matrix (n_rows, n_features)."""
    return make_explainable(Formula(features, function), features, background, **more)


def numbers(count: int, names="abc", seed: int = 0) -> dict[str, list[float]]:
    """Return columns of standard normal numbers."""
    draw = np.random.default_rng(seed)
    return {name: draw.normal(size=count).tolist() for name in names}
