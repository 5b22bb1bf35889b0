"""Compiled models taken apart, beside shap and the scores themselves."""

from __future__ import annotations

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.special import logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from small_packages import BINARY, MULTICLASS, REGRESSION, sample_rows
from xgboost import XGBClassifier, XGBRegressor

from gleis.contracts.errors import CannotExplainError
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel
from gleis.serving.taken_apart import take_apart

NUMBERS = ["distance", "temp", "hour"]
NEW, _ = sample_rows(BINARY, 12, seed=8)
NEW["carrier"][3] = "ZZ"
BACKGROUND, _ = sample_rows(BINARY, 50, seed=9)


def one_hot():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer(
        (numbers, NUMBERS), (OneHotEncoder(handle_unknown="ignore"), ["carrier"])
    )


def ordinal():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    return make_column_transformer((codes, ["carrier"]), remainder="passthrough")


REGRESSORS = {
    "linear": (one_hot, LinearRegression, {}, "identity"),
    "poisson": (one_hot, PoissonRegressor, {}, "log"),
    "forest": (one_hot, RandomForestRegressor, {"n_estimators": 20, "random_state": 0}, "identity"),
    "boosted": (one_hot, GradientBoostingRegressor, {"n_estimators": 40}, "identity"),
    "histogram": (
        ordinal,
        HistGradientBoostingRegressor,
        {"max_iter": 30, "categorical_features": [0]},
        "identity",
    ),
    "lightgbm": (
        one_hot,
        LGBMRegressor,
        {"n_estimators": 30, "verbose": -1, "min_child_samples": 5},
        "identity",
    ),
    "xgboost": (one_hot, XGBRegressor, {"n_estimators": 30}, "identity"),
}
CLASSIFIERS = {
    "linear": (one_hot, LogisticRegression, {}, None),
    "forest": (
        one_hot,
        RandomForestClassifier,
        {"n_estimators": 20, "random_state": 0, "max_depth": 5},
        "identity",
    ),
    "boosted": (one_hot, GradientBoostingClassifier, {"n_estimators": 20}, None),
    "histogram": (ordinal, HistGradientBoostingClassifier, {"max_iter": 20}, None),
    "lightgbm": (
        one_hot,
        LGBMClassifier,
        {"n_estimators": 20, "verbose": -1, "min_child_samples": 5},
        None,
    ),
    "xgboost": (one_hot, XGBClassifier, {"n_estimators": 20}, None),
}


def fitted(contract, before, kind, settings):
    columns, target = sample_rows(contract, 300)
    if contract is not REGRESSION:
        draw = np.random.default_rng(0)
        noise = draw.integers(0, len(contract.classes), 300)
        target = np.where(draw.random(300) < 0.2, noise, target)
    pipeline = make_pipeline(before(), kind(**settings))
    pipeline.fit(SklearnModel.frame(columns, contract), np.asarray(target))
    return pipeline, CompiledModel(compile_estimator(pipeline, contract))


def rows():
    for place in range(12):
        yield {name: [values[place]] for name, values in NEW.items()}


def on_the_scale(link, scores, column):
    if link == "logit":
        return logit(scores[column])
    if link == "log":
        return np.log(scores[column])
    if link == "centred log-ratio":
        return np.log(scores[column]) - np.log(scores).mean()
    return scores[column]


CASES = [
    *((REGRESSION, name, *parts) for name, parts in REGRESSORS.items()),
    *((BINARY, name, *parts[:3], parts[3] or "logit") for name, parts in CLASSIFIERS.items()),
    *(
        (MULTICLASS, name, *parts[:3], parts[3] or "centred log-ratio")
        for name, parts in CLASSIFIERS.items()
    ),
]


@pytest.mark.parametrize(
    ("contract", "name", "before", "kind", "settings", "link"),
    CASES,
    ids=[f"{case[0].task} {case[1]}" for case in CASES],
)
def test_the_parts_add_up_to_the_score(contract, name, before, kind, settings, link):
    _, model = fitted(contract, before, kind, settings)
    apart = take_apart(model, contract, BACKGROUND)
    exact = 1e-4 if name == "xgboost" else 1e-9
    moved = np.zeros(len(contract.names))
    for row in rows():
        scores = np.atleast_1d(model.predict(row)[0])
        for column in range(len(scores)):
            parts = apart.parts(row, column)
            assert parts.link == link
            whole = parts.base + parts.values.sum()
            assert whole == pytest.approx(on_the_scale(link, scores, column), abs=exact)
            assert abs(parts.score - scores[column]) <= parts.tolerance * max(1, abs(whole))
            moved += np.abs(parts.values)
    assert moved[0] > 0
    assert moved[2] > 0


@pytest.mark.parametrize("name", ["forest", "boosted", "histogram", "lightgbm"])
def test_trees_are_explained_as_shap_explains_them(name):
    shap = pytest.importorskip("shap")
    before, kind, settings, _ = REGRESSORS[name]
    # shap reads a categorical split of these trees as if it were one of numbers.
    settings = {key: value for key, value in settings.items() if key != "categorical_features"}
    pipeline, model = fitted(REGRESSION, before, kind, settings)
    apart = take_apart(model, REGRESSION, BACKGROUND)
    encoded = np.asarray(pipeline[:-1].transform(SklearnModel.frame(NEW, REGRESSION)), dtype=float)
    theirs = shap.TreeExplainer(pipeline[-1], feature_perturbation="tree_path_dependent")
    values = theirs.shap_values(encoded, check_additivity=False)
    names = ["carrier", *NUMBERS] if before is ordinal else [*NUMBERS, "carrier", "carrier"]
    for place, row in enumerate(rows()):
        found = apart.parts(row, 0).values
        for feature, mine in zip(REGRESSION.names, found, strict=True):
            wanted = sum(v for n, v in zip(names, values[place], strict=True) if n == feature)
            assert mine == pytest.approx(wanted, abs=1e-9)


def test_a_model_that_is_not_compiled_says_what_to_do():
    pipeline, _ = fitted(BINARY, one_hot, LogisticRegression, {})
    with pytest.raises(CannotExplainError, match="gleis run"):
        take_apart(SklearnModel(pipeline, BINARY), BINARY, BACKGROUND)


def test_a_calibrated_model_is_no_sum():
    settings = {"estimator": LogisticRegression()}
    _, model = fitted(BINARY, one_hot, CalibratedClassifierCV, settings)
    with pytest.raises(CannotExplainError, match="calibrated"):
        take_apart(model, BINARY, BACKGROUND)
