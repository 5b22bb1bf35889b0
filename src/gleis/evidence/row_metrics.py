"""Metrics that are a mean over rows, row by row: what two versions on trial are compared by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract, Task
from gleis.contracts.errors import ConfigError
from gleis.evidence.checks import check_scores
from gleis.evidence.losses import row_loss
from gleis.evidence.weighted import Floats

Labels = NDArray[np.generic]


@dataclass(frozen=True)
class RowMetric:
    """A figure of one row."""

    name: str
    of: Callable[[Labels, Floats, Task], Floats]
    """Targets (n_rows,), scores (n_rows,) or (n_rows, n_classes), task -> values (n_rows,)."""
    higher: bool | None = False
    """True if more is better; None if that depends on what the target means."""
    bounds: tuple[float, float] | None = None
    """Smallest and largest value; None if there is none."""


def brier_rows(y: Labels, scores: Floats, task: Task) -> Floats:
    """Return the squared distance of the probabilities to what happened, in [0, 1].

    For more than two classes half of Brier's original sum, so that two classes agree with the
    binary form.

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly
    Weather Review 78, equation 2.

    Examples
    --------
    >>> brier_rows(np.array([1, 0]), np.array([0.8, 0.5]), "binary").round(2)
    array([0.04, 0.25])
    """
    if scores.ndim == 1:
        return np.asarray((y.astype(np.float64) - scores) ** 2)
    happened = np.zeros_like(scores)
    happened[np.arange(len(y)), y.astype(np.intp)] = 1.0
    return np.asarray(((happened - scores) ** 2).sum(axis=1) / 2.0)


def accuracy_rows(y: Labels, scores: Floats, task: Task) -> Floats:
    """Return 1 where the likelier class happened (binary: from probability 0.5 on), else 0."""
    chosen = scores.argmax(axis=1) if scores.ndim == 2 else (scores >= 0.5).astype(np.int64)
    return np.asarray(chosen == y.astype(np.int64), dtype=np.float64)


def _squared(y: Labels, scores: Floats, task: Task) -> Floats:
    return np.asarray((y.astype(np.float64) - scores) ** 2)


def _absolute(y: Labels, scores: Floats, task: Task) -> Floats:
    return np.asarray(np.abs(y.astype(np.float64) - scores))


def _outcome(y: Labels, scores: Floats, task: Task) -> Floats:
    return y.astype(np.float64)


_UNIT = (0.0, 1.0)
_METRICS: dict[Task, tuple[RowMetric, ...]] = {
    "binary": (
        RowMetric("loss", row_loss),
        RowMetric("brier", brier_rows, bounds=_UNIT),
        RowMetric("accuracy", accuracy_rows, higher=True, bounds=_UNIT),
        RowMetric("outcome", _outcome, higher=None, bounds=_UNIT),
    ),
    "multiclass": (
        RowMetric("loss", row_loss),
        RowMetric("brier", brier_rows, bounds=_UNIT),
        RowMetric("accuracy", accuracy_rows, higher=True, bounds=_UNIT),
    ),
    "regression": (
        RowMetric("loss", row_loss),
        RowMetric("squared_error", _squared),
        RowMetric("absolute_error", _absolute),
        RowMetric("outcome", _outcome, higher=None),
    ),
}


def row_metric(name: str, task: Task) -> RowMetric:
    """Return a metric of a task by name.

    Raises
    ------
    ConfigError
        The task has no such metric.

    Examples
    --------
    >>> row_metric("accuracy", "binary").higher
    True
    """
    metrics = {metric.name: metric for metric in _METRICS[task]}
    if name not in metrics:
        raise ConfigError(
            f"a {task} task has no metric of this name that is known row by row",
            seen=name,
            remedy=f"Take one of {', '.join(metrics)}.",
            field="release.metric",
        )
    return metrics[name]


def row_values(metric: RowMetric, y: Labels, scores: Floats, contract: Contract) -> Floats:
    """Return a metric's value of each row, (n_rows,).

    Raises
    ------
    DataError
        If labels or scores cannot be measured; see ``check_scores``.
    """
    check_scores(y, scores, contract.task)
    return metric.of(y, scores, contract.task)
