"""Compiled models taken apart, beside shap and the scores themselves."""

from __future__ import annotations

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.special import logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import CannotExplainError
from gleis.evidence.explain.apart import take_apart
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel

FEATURES = (
    Column(name="distance", kind="number"),
    Column(name="temp", kind="number", nullable=True),
    Column(name="hour", kind="integer"),
    Column(name="carrier", kind="category", categories=("AA", "UA")),
)
BINARY = Contract(task="binary", features=FEATURES, target="late", classes=("0", "1"))
MULTICLASS = Contract(
    task="multiclass", features=FEATURES, target="kind", classes=("early", "late", "on time")
)
REGRESSION = Contract(task="regression", features=FEATURES, target="delay")
NUMBERS = ["distance", "temp", "hour"]


def sample_rows(contract, count, seed=0):
    """Return columns, each (count,), and targets that depend on them."""
    draw = np.random.default_rng(seed)
    distance = draw.uniform(80, 5000, count)
    hour = draw.integers(0, 24, count)
    columns = {
        "distance": distance.tolist(),
        "temp": [None if draw.random() < 0.2 else float(draw.normal(10, 8)) for _ in hour],
        "hour": hour.tolist(),
        "carrier": draw.choice(["AA", "UA"], count).tolist(),
    }
    if contract.task == "regression":
        return columns, (distance / 100 + hour).tolist()
    return columns, (hour * len(contract.classes) // 24).tolist()


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
    "voting": (
        one_hot,
        VotingRegressor,
        {
            "estimators": [
                ("forest", RandomForestRegressor(5, random_state=0)),
                ("line", LinearRegression()),
            ],
            "weights": [1, 3],
        },
        "identity",
    ),
    "scaled target": (
        one_hot,
        TransformedTargetRegressor,
        {"regressor": GradientBoostingRegressor(n_estimators=20), "transformer": StandardScaler()},
        "identity",
    ),
    "log of target": (
        one_hot,
        TransformedTargetRegressor,
        {"regressor": LinearRegression(), "func": np.log, "inverse_func": np.exp},
        "log",
    ),
    "log1p of target": (
        one_hot,
        TransformedTargetRegressor,
        {"regressor": LinearRegression(), "func": np.log1p, "inverse_func": np.expm1},
        "log(1 + x)",
    ),
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
    "voting": (
        one_hot,
        VotingClassifier,
        {
            "estimators": [
                ("some", RandomForestClassifier(5, max_depth=4, random_state=0)),
                ("more", ExtraTreesClassifier(9, max_depth=4, random_state=1)),
            ],
            "voting": "soft",
        },
        "identity",
    ),
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


def on_the_scale(link, scores, column):
    if link == "logit":
        return logit(scores[:, column])
    if link == "log":
        return np.log(scores[:, column])
    if link == "log(1 + x)":
        return np.log1p(scores[:, column])
    if link == "centred log-ratio":
        return np.log(scores[:, column]) - np.log(scores).mean(axis=1)
    return scores[:, column]


CALIBRATED = {"estimator": LogisticRegression(), "ensemble": False}
CASES = [
    (BINARY, "calibrated by one curve", one_hot, CalibratedClassifierCV, CALIBRATED, "logit"),
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
    moved = np.zeros(4)
    for column in range(len(contract.classes) if contract is MULTICLASS else 1):
        scores = model.predict(NEW).reshape(12, -1)
        parts = apart.parts(NEW, column)
        assert parts.link == link
        whole = parts.base + parts.values.sum(axis=1)
        assert whole == pytest.approx(on_the_scale(link, scores, column), abs=exact)
        allowed = parts.tolerance * np.maximum(1, np.abs(scores[:, column]))
        assert (np.abs(parts.scores - scores[:, column]) <= allowed).all()
        moved += np.abs(parts.values).sum(axis=0)
        alone = apart.parts({name: values[3:4] for name, values in NEW.items()}, column)
        assert alone.values[0] == pytest.approx(parts.values[3], abs=1e-12)
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
    found = apart.parts(NEW, 0).values
    for j, feature in enumerate(REGRESSION.names):
        wanted = values[:, [n == feature for n in names]].sum(axis=1)
        assert found[:, j] == pytest.approx(wanted, abs=1e-9)


def test_xgboost_is_explained_as_shap_explains_it():
    """Both add up what XGBoost stores in float32."""
    shap = pytest.importorskip("shap")
    pipeline, model = fitted(REGRESSION, *REGRESSORS["xgboost"][:3])
    encoded = np.asarray(pipeline[:-1].transform(SklearnModel.frame(NEW, REGRESSION)), dtype=float)
    explainer = shap.TreeExplainer(pipeline[-1], feature_perturbation="tree_path_dependent")
    theirs = explainer.shap_values(encoded, check_additivity=False)
    found = take_apart(model, REGRESSION, BACKGROUND).parts(NEW, 0).values
    assert found[:, :3] == pytest.approx(theirs[:, :3], abs=1e-4)
    assert found[:, 3] == pytest.approx(theirs[:, 3:].sum(axis=1), abs=1e-4)


def test_a_mean_of_forests_is_explained_as_the_mean_of_theirs():
    shap = pytest.importorskip("shap")
    before, kind, settings, _ = CLASSIFIERS["voting"]
    pipeline, model = fitted(MULTICLASS, before, kind, settings)
    encoded = np.asarray(pipeline[:-1].transform(SklearnModel.frame(NEW, MULTICLASS)), dtype=float)
    theirs = np.mean(
        [shap.TreeExplainer(part).shap_values(encoded) for part in pipeline[-1].estimators_], axis=0
    )
    apart = take_apart(model, MULTICLASS, BACKGROUND)
    for column in range(3):
        found = apart.parts(NEW, column).values
        assert found[:, :3] == pytest.approx(theirs[:, :3, column], abs=1e-9)
        assert found[:, 3] == pytest.approx(theirs[:, 3:, column].sum(axis=1), abs=1e-9)


def test_a_model_that_is_not_compiled_says_what_to_do():
    pipeline, _ = fitted(BINARY, one_hot, LogisticRegression, {})
    with pytest.raises(CannotExplainError, match="gleis run"):
        take_apart(SklearnModel(pipeline, BINARY), BINARY, BACKGROUND)


def test_a_calibrated_model_is_no_sum():
    settings = {"estimator": LogisticRegression()}
    _, model = fitted(BINARY, one_hot, CalibratedClassifierCV, settings)
    with pytest.raises(CannotExplainError, match="calibrated"):
        take_apart(model, BINARY, BACKGROUND)
