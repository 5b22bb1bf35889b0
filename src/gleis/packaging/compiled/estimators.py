"""A fitted estimator to a compiled form, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gleis.contracts.contract import Contract
from gleis.packaging.compiled import boosters, sklearn_trees
from gleis.packaging.compiled.assembly import Assembly
from gleis.packaging.compiled.form import Curve, Form, Mean, Node, Structure
from gleis.packaging.compiled.sklearn_trees import link_of
from gleis.packaging.compiled.symbols import NotCompiledError, Step, Table, Vocabulary
from gleis.packaging.compiled.transformers import Follower
from gleis.packaging.frames import Frame

_FINITE = (Step("finite"),)
_FORESTS = ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees")
_LINEAR = (
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "Lasso",
    "LassoCV",
    "ElasticNet",
    "ElasticNetCV",
    "Lars",
    "LassoLars",
    "BayesianRidge",
    "ARDRegression",
    "HuberRegressor",
    "QuantileRegressor",
    "TheilSenRegressor",
    "OrthogonalMatchingPursuit",
    "LinearSVR",
    "SGDRegressor",
)
_GLM = ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")


def compile_estimator(estimator: Any, contract: Contract, frame: Frame = "polars") -> Form:
    """Translate a fitted estimator.

    Parameters
    ----------
    estimator : scikit-learn estimator
        As ``SklearnModel`` takes it.
    contract : Contract
    frame : Frame
        The kind of table it is handed.

    Raises
    ------
    NotCompiledError
        With the reason: a step or a model that is not translated exactly.
    """
    vocabulary = Vocabulary(contract, frame)
    # Encoders may know words that the contract does not; then once more, with those.
    for _ in range(2):
        known = vocabulary.inputs()
        translator = _Translator(vocabulary)
        node = translator.node(estimator, vocabulary.start())
        if vocabulary.inputs() == known:
            break
    multiclass = contract.task == "multiclass"
    place: tuple[int, ...] = (0,)
    if contract.task != "regression":
        place = _place(estimator, len(contract.classes or ()), multiclass)
    structure = Structure(inputs=known, score=node, place=place, wide=multiclass)
    return Form(structure, translator.made.arrays)


def _place(estimator: Any, n_classes: int, multiclass: bool) -> tuple[int, ...]:
    seen = [int(c) for c in estimator.classes_]
    if len(seen) < 2 or (multiclass and len(seen) < 3) or (not multiclass and seen != [0, 1]):
        raise NotCompiledError("Training saw too few classes.")
    if not multiclass:
        return (0,)
    return tuple(seen.index(c) if c in seen else -1 for c in range(n_classes))


class _Translator:
    """Follows an estimator down to its models. Binary classifiers have one output."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.made = Assembly()
        self._follower = Follower(vocabulary)

    def node(self, estimator: Any, table: Table, raw: bool = False) -> Node:
        """Translate; ``raw`` asks for ``decision_function`` instead of probabilities."""
        name = type(estimator).__name__
        composed: dict[str, Callable[[Any, Table, bool], Node]] = {
            "Pipeline": self._pipeline,
            "CalibratedClassifierCV": self._calibrated,
            "VotingClassifier": self._voting,
            "VotingRegressor": self._voting,
            "TransformedTargetRegressor": self._transformed,
            "FrozenEstimator": lambda e, t, r: self.node(e.estimator, t, r),
        }
        if name in composed:
            return composed[name](estimator, table, raw)
        return self._model(name, estimator, table, raw)

    def _model(self, name: str, estimator: Any, table: Table, raw: bool) -> Node:
        if name in {"LGBMClassifier", "LGBMRegressor"}:
            return boosters.lightgbm(estimator, table, self.made)
        if name in {"XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"}:
            return boosters.xgboost(estimator, table, self.made)
        if not type(estimator).__module__.startswith("sklearn."):
            raise NotCompiledError(f"{name} is not one of the models we translate.")
        kind = name.removesuffix("Classifier").removesuffix("Regressor")
        if kind == "HistGradientBoosting":
            if estimator._preprocessor is not None:
                table = self._follower.follow(estimator._preprocessor, table)
            return sklearn_trees.hist_gradient_boosting(estimator, table, self.made, raw)
        if kind == "GradientBoosting":
            return sklearn_trees.gradient_boosting(estimator, table, self.made, raw)
        if kind in _FORESTS:
            return sklearn_trees.forest(estimator, table, self.made)
        if kind == "Dummy":
            return self._dummy(estimator, table)
        return self._linear(name, estimator, table, raw)

    def _pipeline(self, pipeline: Any, table: Table, raw: bool) -> Node:
        for _, step in pipeline.steps[:-1]:
            table = self._follower.follow(step, table)
        return self.node(pipeline.steps[-1][1], table, raw)

    def _linear(self, name: str, estimator: Any, table: Table, raw: bool) -> Node:
        link = "identity"
        if name in _GLM:
            link = link_of(estimator._base_loss)
        elif name in {"LogisticRegression", "LogisticRegressionCV"}:
            link = "logistic" if len(estimator.classes_) <= 2 else "softmax"
        elif name == "SGDClassifier" and estimator.loss == "log_loss":
            link = "logistic" if len(estimator.classes_) <= 2 else "one-vs-rest"
        elif name in {"LinearSVC", "RidgeClassifier", "SGDClassifier", "Perceptron"}:
            if not raw:
                raise NotCompiledError(f"{name} has no probabilities we translate.")
        elif name not in _LINEAR:
            raise NotCompiledError(f"{name} is not one of the models we translate.")
        coef = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
        link = "identity" if raw else link
        return self.made.linear(table, coef, estimator.intercept_, _FINITE, link)

    def _dummy(self, estimator: Any, table: Table) -> Node:
        if not hasattr(estimator, "classes_"):
            values = np.asarray(estimator.constant_, dtype=np.float64).ravel()
        elif estimator.strategy in {"prior", "most_frequent"}:
            prior = np.asarray(estimator.class_prior_, dtype=np.float64)
            top = np.eye(len(prior))[prior.argmax()]
            values = prior if estimator.strategy == "prior" else top
            values = values[1:] if len(values) == 2 else values
        else:
            raise NotCompiledError(f"DummyClassifier's {estimator.strategy} is not translated.")
        return self.made.linear(table.pick([]), np.zeros((len(values), 0)), values, (), "identity")

    def _voting(self, voting: Any, table: Table, raw: bool) -> Node:
        if raw or getattr(voting, "voting", "soft") != "soft":
            raise NotCompiledError("Only a soft vote is translated.")
        weights = voting._weights_not_none
        members = tuple(self.node(member, table) for member in voting.estimators_)
        chosen = [1.0] * len(members) if weights is None else [float(w) for w in weights]
        return Mean(members=members, weights=tuple(chosen))

    def _calibrated(self, calibrated: Any, table: Table, raw: bool) -> Node:
        if raw:
            raise NotCompiledError("A calibration of a calibration is not translated.")
        several = len(calibrated.classes_) > 2
        members = tuple(
            self._curve(member, table, several) for member in calibrated.calibrated_classifiers_
        )
        return Mean(members=members, weights=(1.0,) * len(members))

    def _curve(self, member: Any, table: Table, several: bool) -> Node:
        if list(member.estimator.classes_) != list(member.classes):
            raise NotCompiledError("A fold of the calibration saw fewer classes.")
        of = self.node(member.estimator, table, raw=hasattr(member.estimator, "decision_function"))
        names = {type(calibrator).__name__ for calibrator in member.calibrators}
        if names == {"_SigmoidCalibration"}:
            a = tuple(float(c.a_) for c in member.calibrators)
            b = tuple(float(c.b_) for c in member.calibrators)
            return Curve(of=of, kind="sigmoid", a=a, b=b, normalise=several)
        if names == {"IsotonicRegression"}:
            x = tuple(tuple(map(float, c.X_thresholds_)) for c in member.calibrators)
            y = tuple(tuple(map(float, c.y_thresholds_)) for c in member.calibrators)
            return Curve(of=of, kind="isotonic", x=x, y=y, normalise=several)
        raise NotCompiledError(f"The calibration {member.method} is not translated.")

    def _transformed(self, outer: Any, table: Table, raw: bool) -> Node:
        back = outer.transformer_
        name = type(back).__name__
        of = self.node(outer.regressor_, table)
        if name == "FunctionTransformer" and back.inverse_func is None:
            return of
        if name == "StandardScaler":
            scale = 1.0 if back.scale_ is None else float(back.scale_[0])
            mean = 0.0 if back.mean_ is None or not back.with_mean else float(back.mean_[0])
            return Curve(of=of, kind="affine", a=(scale,), b=(mean,))
        inverse = getattr(back, "inverse_func", None)
        if inverse in (np.exp, np.expm1):
            return Curve(of=of, kind="exp" if inverse is np.exp else "expm1")
        raise NotCompiledError(f"The way back from a target through {name} is not translated.")
