"""How an estimator is handed row weights."""

from __future__ import annotations

from inspect import signature
from typing import Any

from gleis.contracts.errors import ProjectError

_INNER = {"CalibratedClassifierCV": "estimator", "TransformedTargetRegressor": "regressor"}


def weights_parameter(estimator: Any, why: str = "The mitigation gives rows weights") -> str:
    """Return the name under which ``estimator.fit`` takes row weights.

    Parameters
    ----------
    estimator : scikit-learn estimator
        A model, a pipeline that ends in one, or a composition of models.
    why : str
        Who asks, for the error.

    Raises
    ------
    ProjectError
        If a model in it takes no weights.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> weights_parameter(make_pipeline(StandardScaler(), LogisticRegression()))
    'logisticregression__sample_weight'
    """
    kind = type(estimator).__name__
    if hasattr(estimator, "steps"):
        name, last = estimator.steps[-1]
        return f"{name}__{weights_parameter(last, why)}"
    if kind == "TransformedTargetRegressor":
        return weights_parameter(estimator.regressor, why)
    if kind in {"VotingClassifier", "VotingRegressor"}:
        members = [member for _, member in estimator.estimators if member != "drop"]
        taken = all(_takes_weights(member) for member in members)
    elif kind in _INNER:  # it would leave them out, with a warning only
        taken = _takes_weights(getattr(estimator, _INNER[kind]))
    else:
        taken = _takes_weights(estimator)
    if not taken:
        raise ProjectError(
            f"{why}, and the estimator of build_model takes none",
            seen=kind,
            remedy="Return one whose fit has sample_weight, such as LogisticRegression or "
            "HistGradientBoostingClassifier, or mitigate after the fit: "
            'mitigate = "threshold_optimizer".',
            field="build_model",
        )
    return "sample_weight"


def _takes_weights(estimator: Any) -> bool:
    """Say whether ``fit`` has ``sample_weight``; to ask scikit-learn loads scipy, seconds."""
    return hasattr(estimator, "fit") and "sample_weight" in signature(estimator.fit).parameters
