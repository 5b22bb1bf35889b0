"""Every translated model and step against the fitted library, on both kernels."""

from __future__ import annotations

import warnings

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from gleis.contracts.errors import DataError
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.form import decode_form, encode_form
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.compiled.symbols import NotCompiledError

NUMBERS = ["size", "floors", "rooms", "new"]


def ordinal(**settings):
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, **settings)
    return make_column_transformer((encode, ["shop"]), remainder="passthrough")


def dense():
    """Nothing missing after it."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    hot = OneHotEncoder(handle_unknown="ignore")
    return make_column_transformer((hot, ["shop", "rooms"]), (numbers, NUMBERS))


STEPS = {
    "ordinal": ordinal(),
    "ordinal, missing as -2": ordinal(encoded_missing_value=-2),
    "one-hot, imputed, scaled": dense(),
    "infrequent": make_column_transformer(
        (
            make_pipeline(
                SimpleImputer(strategy="constant", fill_value="gone", missing_values=None),
                OneHotEncoder(
                    handle_unknown="infrequent_if_exist",
                    min_frequency=60,
                    drop="first",
                    sparse_output=False,
                ),
            ),
            ["shop"],
        ),
        (make_pipeline(SimpleImputer(strategy="median"), RobustScaler()), NUMBERS),
    ),
    "target": make_column_transformer(
        (TargetEncoder(), ["shop"]),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), MinMaxScaler(clip=True)), NUMBERS),
    ),
    "bins": make_column_transformer(
        (make_pipeline(SimpleImputer(), KBinsDiscretizer(4, encode="onehot-dense")), ["size"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["shop"]),
        (make_pipeline(SimpleImputer(), MaxAbsScaler()), slice(2, 5)),
    ),
    "union": make_union(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore", sparse_output=False), [0])),
        make_pipeline(
            make_column_transformer((SimpleImputer(), NUMBERS)),
            FunctionTransformer(),
            SelectKBest(k=2),
        ),
        make_column_transformer((MissingIndicator(features="all"), ["size", "rooms"])),
    ),
    "remainder imputed": make_column_transformer(
        ("drop", ["shop"]), remainder=SimpleImputer(strategy="constant", fill_value=3)
    ),
}

TREES = {
    "boosting": HistGradientBoostingClassifier(max_iter=12),
    "boosting, categories": HistGradientBoostingClassifier(max_iter=12, categorical_features=[0]),
    "forest": RandomForestClassifier(8, random_state=0),
    "extra": ExtraTreesClassifier(8, random_state=0),
    "tree": DecisionTreeClassifier(max_depth=5),
    "lightgbm": lightgbm.LGBMClassifier(n_estimators=12, min_child_samples=5, verbose=-1),
    "lightgbm, categories": lightgbm.LGBMClassifier(
        n_estimators=12,
        min_child_samples=5,
        cat_smooth=1,
        min_data_per_group=1,
        categorical_feature=[0],
        verbose=-1,
    ),
    "lightgbm, zero missing": lightgbm.LGBMClassifier(
        n_estimators=12, zero_as_missing=True, verbose=-1
    ),
    "lightgbm, nothing missing": lightgbm.LGBMClassifier(
        n_estimators=12, use_missing=False, verbose=-1
    ),
    "lightgbm forest": lightgbm.LGBMClassifier(
        boosting_type="rf", bagging_fraction=0.5, bagging_freq=1, n_estimators=8, verbose=-1
    ),
    "xgboost": xgboost.XGBClassifier(n_estimators=12),
    "xgboost, categories": xgboost.XGBClassifier(
        n_estimators=12, enable_categorical=True, feature_types=["c", "q", "q", "q", "q"]
    ),
}
DENSE = {
    "gradient": GradientBoostingClassifier(n_estimators=10),
    "logistic": LogisticRegression(max_iter=1000),
    "sgd": SGDClassifier(loss="log_loss", random_state=0),
    "dummy": DummyClassifier(),
    "sigmoid": CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=5), cv=3),
    "isotonic": CalibratedClassifierCV(
        RandomForestClassifier(5, random_state=0), cv=3, method="isotonic"
    ),
    "calibrated decisions": CalibratedClassifierCV(RidgeClassifier(), cv=3),
    "vote": VotingClassifier(
        [
            ("a", HistGradientBoostingClassifier(max_iter=5)),
            ("b", RandomForestClassifier(5, random_state=0)),
        ],
        voting="soft",
        weights=[1, 2],
    ),
}
REGRESSIONS = {
    "boosting": HistGradientBoostingRegressor(max_iter=12),
    "boosting, poisson": HistGradientBoostingRegressor(max_iter=12, loss="poisson"),
    "boosting, gamma": HistGradientBoostingRegressor(max_iter=12, loss="gamma"),
    "boosting, quantile": HistGradientBoostingRegressor(loss="quantile", quantile=0.3, max_iter=9),
    "forest": RandomForestRegressor(8, random_state=0),
    "extra": ExtraTreesRegressor(8, random_state=0),
    "gradient": GradientBoostingRegressor(n_estimators=10, loss="huber"),
    "linear": LinearRegression(),
    "ridge": Ridge(),
    "lasso": Lasso(0.01),
    "elastic": ElasticNet(0.01),
    "poisson": PoissonRegressor(),
    "dummy": DummyRegressor(),
    "lightgbm": lightgbm.LGBMRegressor(n_estimators=12, verbose=-1),
    "lightgbm, poisson": lightgbm.LGBMRegressor(n_estimators=12, objective="poisson", verbose=-1),
    "xgboost": xgboost.XGBRegressor(n_estimators=12),
    "xgboost, poisson": xgboost.XGBRegressor(n_estimators=12, objective="count:poisson"),
    "target scaled": TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
    "target logged": TransformedTargetRegressor(
        HistGradientBoostingRegressor(max_iter=5), func=np.log1p, inverse_func=np.expm1
    ),
    "vote": VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3))]),
}


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def agrees(fitted, columns, same_bits):
    """Compile, write, read, and hold against the fitted estimator."""

    def check(estimator, task, tolerance=1e-13):
        model = fitted(clone(estimator), task)
        form = decode_form(encode_form(compile_estimator(model.estimator, model.contract)))
        compiled = CompiledModel(form)
        for unseen in (False, True):
            rows = columns(unseen=unseen)
            scores = same_bits(form, compiled.matrix(rows))
            np.testing.assert_allclose(scores, model.predict(rows), rtol=tolerance, atol=tolerance)
            one = {name: values[:1] for name, values in rows.items()}
            np.testing.assert_array_equal(compiled.predict(one), scores[:1])
        return compiled

    return check


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("name", TREES)
def test_trees(agrees, name, task):
    compiled = agrees(make_pipeline(ordinal(), TREES[name]), task)
    (member,) = compiled.additive().members
    trees = member.trees
    inner = trees.left != np.arange(len(trees.left))
    children = trees.cover[trees.left[inner]] + trees.cover[trees.left[inner] + 1]
    np.testing.assert_allclose(trees.cover[inner], children, rtol=1e-5)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("name", DENSE)
def test_models_without_missing_values(agrees, name, task):
    agrees(make_pipeline(dense(), DENSE[name]), task, 1e-12)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_regressions(agrees, name):
    agrees(make_pipeline(dense(), REGRESSIONS[name]), "regression", 1e-12)


@pytest.mark.parametrize(
    "model", [LogisticRegression(max_iter=2000), None], ids=["linear", "trees"]
)
@pytest.mark.parametrize("name", STEPS)
def test_steps(agrees, name, model):
    imputed = [SimpleImputer(), model] if model is not None else [TREES["boosting"]]
    agrees(make_pipeline(STEPS[name], *imputed), "binary", 1e-12)


def test_boosting_encodes_text_by_itself(agrees):
    agrees(HistGradientBoostingClassifier(max_iter=12, categorical_features=["shop"]), "binary")


def test_early_stopping_keeps_the_best_trees(fitted, columns, shops):
    rows = shops.rows(300, seed=9)
    encode = ordinal().fit(rows)
    held = (encode.transform(rows), shops.target(rows, "binary"))
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=2, learning_rate=0.9)
    model.fit(
        encode.transform(shops.rows(300)),
        shops.target(shops.rows(300), "binary"),
        eval_set=[held],
        verbose=False,
    )
    assert model.best_iteration + 1 < len(model.get_booster().get_dump())
    estimator = make_pipeline(encode, model)
    contract = shops.contract("binary")
    compiled = CompiledModel(compile_estimator(estimator, contract))
    drawn = columns(unseen=False)
    frame = fitted(DummyClassifier(), "binary").frame(drawn, contract)
    expected = estimator.predict_proba(frame)[:, 1]
    np.testing.assert_allclose(compiled.predict(drawn), expected, atol=1e-13)


def test_an_unseen_category_is_refused_where_the_encoder_refuses_it(fitted, columns, kernel):
    encode = make_column_transformer((OneHotEncoder(), ["shop"]), (SimpleImputer(), NUMBERS))
    model = fitted(make_pipeline(encode, LogisticRegression()), "binary")
    compiled = CompiledModel(compile_estimator(model.estimator, model.contract), kernel)
    known = columns(unseen=False)
    np.testing.assert_allclose(compiled.predict(known), model.predict(known), atol=1e-13)
    for n_rows in (1, 50):
        rows = {name: values[:n_rows] for name, values in known.items()}
        rows["shop"] = [*rows["shop"][1:], "new"]
        with pytest.raises(ValueError, match="unknown categories"):
            model.predict(rows)
        with pytest.raises(DataError, match="shop holds a value") as caught:
            compiled.predict(rows)
        assert caught.value.field == "shop"


def test_a_missing_value_is_refused_where_the_model_refuses_it(fitted, columns, kernel):
    filled = make_column_transformer((SimpleImputer(), ["rooms"]), ("passthrough", ["floors"]))
    model = fitted(make_pipeline(filled, LinearRegression()), "regression")
    compiled = CompiledModel(compile_estimator(model.estimator, model.contract), kernel)
    rows = columns(5)
    rows["floors"] = [1, 2, None, 3, 4]
    with pytest.raises(ValueError, match="NaN"):
        model.predict(rows)
    with pytest.raises(DataError, match="floors holds a value"):
        compiled.predict(rows)


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (make_pipeline(dense(), PCA(2), LogisticRegression()), "PCA"),
        (
            make_pipeline(
                dense(),
                PolynomialFeatures(),
                LogisticRegression(max_iter=3000),
            ),
            "PolynomialFeatures",
        ),
        (make_pipeline(dense(), AdaBoostClassifier(n_estimators=3)), "AdaBoostClassifier"),
        (
            make_pipeline(dense(), FunctionTransformer(np.abs), LogisticRegression()),
            "FunctionTransformer",
        ),
        (
            make_pipeline(
                make_column_transformer(
                    (SimpleImputer(missing_values=5), ["floors"]),
                    (OneHotEncoder(handle_unknown="ignore"), ["shop"]),
                ),
                LogisticRegression(),
            ),
            "looks for a number",
        ),
    ],
)
def test_what_is_not_exact_is_refused_with_a_reason(fitted, estimator, reason):
    model = fitted(estimator, "binary")
    with pytest.raises(NotCompiledError, match=reason):
        compile_estimator(model.estimator, model.contract)


def test_linear_trees_and_other_missing_values_are_refused(fitted):
    linear = lightgbm.LGBMRegressor(linear_tree=True, n_estimators=3, verbose=-1)
    model = fitted(make_pipeline(ordinal(), linear), "regression")
    with pytest.raises(NotCompiledError, match="linear trees"):
        compile_estimator(model.estimator, model.contract)
    other = xgboost.XGBRegressor(n_estimators=3, missing=-1.0)
    model = fitted(make_pipeline(dense(), other), "regression")
    with pytest.raises(NotCompiledError, match="missing values"):
        compile_estimator(model.estimator, model.contract)
