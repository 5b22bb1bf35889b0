"""A model of fixed size that stands in where the project's own would take long to fit again.

The only place of this folder that imports scikit-learn, when a model is fitted again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gleis.contracts.contract import Contract
from gleis.evidence.leakage.sides import Positions, Refit
from gleis.evidence.weighted import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TREES = 200
"""More are not quick."""
_QUICK = (
    "sklearn.linear_model",
    "sklearn.tree",
    "sklearn.preprocessing",
    "sklearn.compose",
    "sklearn.pipeline",
    "sklearn.impute",
    "sklearn.naive_bayes",
    "sklearn.discriminant_analysis",
    "sklearn.dummy",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._hist_gradient_boosting",
    "lightgbm",
    "xgboost",
)
_SLOW = ("CV", "Search")


def is_quick(estimator: Any) -> bool:
    """Say whether an estimator may be fitted a dozen times on 5,000 rows.

    Linear models, trees, and forests and boosting of up to 200 trees, with their preprocessing:
    known by their types, so that the answer does not depend on the machine.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Unfitted.
    """
    parameters = estimator.get_params(deep=True)
    parts = [estimator, *(value for value in parameters.values() if hasattr(value, "fit"))]
    for part in parts:
        kind = type(part)
        if not kind.__module__.startswith(_QUICK) or kind.__name__.endswith(_SLOW):
            return False
        own = part.get_params(deep=False)
        boosted = "max_iter" in own and "max_leaf_nodes" in own
        trees = own.get("n_estimators") or (own["max_iter"] if boosted else 0)
        if isinstance(trees, int) and trees > _TREES:
            return False
    return True


def proxy(rows: pl.DataFrame, y: NDArray[np.generic], contract: Contract, seed: int) -> Refit:
    """Return boosted trees of fixed size on the features as numbers, text by its sorted place.

    Parameters
    ----------
    rows : polars.DataFrame, (n_rows, n_columns)
    y : ndarray, (n_rows,)
    contract : Contract
    seed : int
    """
    columns = []
    for column in contract.features:
        values = rows[column.name]
        if column.kind == "category":
            values = values.cast(pl.String).rank("dense")
        columns.append(values.cast(pl.Float64).fill_null(np.nan).to_numpy())
    table = np.column_stack(columns)

    def score(train: Positions, test: Positions) -> Floats:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        settings = {"max_iter": 50, "max_leaf_nodes": 15, "random_state": seed}
        if contract.task == "regression":
            fitted = HistGradientBoostingRegressor(**settings).fit(table[train], y[train])
            return np.asarray(fitted.predict(table[test]), dtype=np.float64)
        fitted = HistGradientBoostingClassifier(**settings).fit(table[train], y[train])
        scores = np.zeros((len(test), len(contract.classes or ())))
        scores[:, np.asarray(fitted.classes_, dtype=np.int64)] = fitted.predict_proba(table[test])
        return scores[:, 1].copy() if contract.task == "binary" else scores

    return Refit("boosted trees of fixed size in the model's place", score)
