"""Loans to people, a model for them, and mitigations as the tests make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gleis.contracts.mitigation import MITIGATIONS
from gleis.evidence.mitigation.registered import MITIGATORS

SMALL: dict[str, dict[str, Any]] = {
    "grid_search": {"size": 8},
    "exponentiated_gradient": {"max_iter": 10},
}


def lending_rows(n: int = 600) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Return loans and who paid. Women earn less and are trusted less."""
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], n)
    income = rng.normal(50, 10, n) + 6 * (sex == "m")
    debt = rng.normal(20, 5, n)
    job = np.where(rng.random(n) < 0.5, "office", np.where(sex == "m", "site", "care"))
    odds = 0.08 * (income - 52) - 0.1 * (debt - 20) + 0.8 * (sex == "m")
    paid = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return pl.DataFrame({"sex": sex, "income": income, "debt": debt, "job": job}), paid


def lending_model() -> Any:
    """Return an unfitted classifier for them, which does not look at the sex."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["job"]), (StandardScaler(), ["income", "debt"])
    )
    return make_pipeline(columns, LogisticRegression())


def make(name: str, model: Any, **options: Any) -> Any:
    """Return an unfitted mitigation for the column ``sex``, which the model must not see."""
    chosen = {"protected": ["sex"], "hidden": ["sex"], **SMALL.get(name, {}), **options}
    kind: Any = MITIGATORS[name]
    return kind(**chosen) if MITIGATIONS[name].own_model else kind(model, **chosen)
