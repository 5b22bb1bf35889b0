"""Fairlearn's reductions on a user's estimator: the only place that imports Fairlearn."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gleis.contracts.errors import ConfigError
from gleis.contracts.mitigation import Constraint
from gleis.evidence.mitigation.mixture import constant
from gleis.evidence.mitigation.weights import weights_parameter

FLOOR = 0.01
"""Violation of a constraint that full strength still allows: Fairlearn's own default."""


def fairlearn(module: str) -> Any:
    """Import a module of Fairlearn.

    Raises
    ------
    ConfigError
        With the line that installs it.
    """
    try:
        return importlib.import_module(f"fairlearn.{module}")
    except ImportError as error:
        raise ConfigError(
            f"This mitigation needs Fairlearn, which cannot be imported: {error}",
            remedy="pip install 'gleis[fairness]'",
            field="fairness.mitigate",
        ) from error


class Learner:
    """An estimator as Fairlearn's reductions ask it: all rows at once, by weights.

    Fairlearn wants arrays; it is handed positions, and the estimator gets the table itself.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Unfitted.
    table : DataFrame, (n_rows, n_columns)
    parameter : str
        Under which its fit takes weights.
    answer : callable (fitted estimator, table) -> ndarray, (n_rows,)
        What the constraint judges.
    """

    def __init__(
        self, estimator: Any, table: Any, parameter: str, answer: Callable[[Any, Any], Any]
    ) -> None:
        self.estimator = estimator
        self.table = table
        self.parameter = parameter
        self.answer = answer
        self.fitted: Any = None
        self.answers: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Learner:
        """Return another one, unfitted, of the same rows."""
        return Learner(self.estimator, self.table, self.parameter, self.answer)

    def fit(self, positions: Any, labels: Any, sample_weight: Any = None) -> Learner:
        """Fit on all rows with these labels and weights."""
        del positions  # always all of them
        keywords = {} if sample_weight is None else {self.parameter: np.asarray(sample_weight)}
        self.fitted = clone(self.estimator).fit(self.table, np.asarray(labels), **keywords)
        self.answers = np.asarray(self.answer(self.fitted, self.table), dtype=np.float64)
        return self

    def predict(self, positions: Any) -> Any:
        """Return the answers on all rows; asked often, so kept."""
        return self.answers[np.asarray(positions).ravel()]


@contextmanager
def fairlearn_warnings_aside() -> Iterator[None]:
    """Keep back what Fairlearn's own lines are warned of by pandas: nobody here can mend it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="fairlearn")
        warnings.filterwarnings("ignore", category=FutureWarning, module="fairlearn")
        yield


def group_loss(loss: Any, bound: float) -> Any:
    """Return Fairlearn's bounded group loss, with weights by look-up and not row by row.

    Parameters
    ----------
    loss : object
        With ``eval(labels, answers)``, ``min`` and ``max``, as Fairlearn's losses.
    bound : float
        Largest loss of a group.
    """
    plain = fairlearn("reductions").BoundedGroupLoss

    def weights(self: Any, lambda_vec: Any = None) -> Any:
        adjust = self.prob_attr * 0 + 1 if lambda_vec is None else lambda_vec / self.prob_attr
        return self.tags["group_id"].map(adjust).astype(float)

    def objective(self: Any) -> Any:
        mean = plain.default_objective(self)
        return type("MeanLoss", (type(mean),), quick)(loss)

    quick = {"signed_weights": weights}
    return type("BoundedGroupLoss", (plain,), {"default_objective": objective, **quick})(
        loss, upper_bound=bound
    )


def learner(estimator: Any, table: Any, answer: Callable[[Any, Any], Any]) -> Learner:
    """Wrap an estimator; see ``Learner``."""
    return Learner(estimator, table, weights_parameter(estimator), answer)


def positions_of(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the positions of all rows, (n_rows, 1)."""
    return np.arange(labels.size).reshape(-1, 1)


def decisions(fitted: Any, table: Any) -> NDArray[np.float64]:
    """Answer 1 where the score is over 0.5, else 0, as gleis decides."""
    found: NDArray[np.float64] = (fitted.predict_proba(table)[:, 1] > 0.5).astype(np.float64)
    return found


def parity(constraint: Constraint, favourable: int, bound: float | None = None) -> Any:
    """Return Fairlearn's form of a constraint.

    Parameters
    ----------
    constraint : str
    favourable : int
        Position of the class that is good for the person. Equal opportunity is for those who
        deserve it: the true positive rate of class 1, the true negative rate of class 0.
    bound : float, optional
        Largest difference of a group from all rows.
    """
    reductions = fairlearn("reductions")
    kind = {
        "statistical_parity": "DemographicParity",
        "equalized_odds": "EqualizedOdds",
        "equal_opportunity": "TruePositiveRateParity" if favourable else "FalsePositiveRateParity",
    }[constraint]
    return getattr(reductions, kind)(difference_bound=bound)


def violation(moment: Any, answers: NDArray[Any], labels: NDArray[Any], groups: Any) -> float:
    """Return by how much these answers break a constraint: the worst group's difference."""
    moment.load_data(positions_of(labels), labels, sensitive_features=groups)
    return float(moment.gamma(lambda _: answers).max())


def loosened(plain: float, strength: float, floor: float = FLOOR) -> float:
    """Return the bound of a constraint: the plain model's own violation, less with strength."""
    return max(floor, plain + strength * (floor - plain))


def member(predictor: Any, classes: NDArray[Any]) -> Any:
    """Return the user's fitted estimator behind one of Fairlearn's predictors."""
    if isinstance(predictor, Learner):
        return predictor.fitted
    return constant(bool(predictor.constant), classes)  # all labels were the same
