"""The metrics, by name: one formula for gates, live windows and backtests."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.errors import ConfigError
from gleis.evidence import decisions, probabilities, ranking, residuals
from gleis.evidence.weighted import Floats, Formula

_CLASSES: tuple[Task, ...] = ("binary", "multiclass")


@dataclass(frozen=True)
class Metric:
    """A figure of quality; call it with labels and scores.

    Parameters
    ----------
    name : str
    tasks : tuple of str
        Tasks it is defined for.
    greater_is_better : bool
    formula : callable
        ``(y, scores)`` -> function of row weights; its docstring holds the formula.

    Examples
    --------
    >>> METRICS["accuracy"](np.array([0, 1]), np.array([0.2, 0.4]))
    0.5
    >>> METRICS["accuracy"](np.array([0, 1]), np.array([0.2, 0.4]), np.array([3.0, 1.0]))
    0.75
    """

    name: str
    tasks: tuple[Task, ...]
    greater_is_better: bool
    formula: Formula

    @property
    def sign(self) -> float:
        """1.0 where greater is better, -1.0 where smaller is."""
        return 1.0 if self.greater_is_better else -1.0

    def __call__(
        self, y: NDArray[np.generic], scores: Floats, weight: Floats | None = None
    ) -> float:
        """Return the figure; NaN where it is undefined.

        Parameters
        ----------
        y : ndarray, (n_rows,)
            Class index (binary, multiclass) or value (regression).
        scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
            As ``Model.predict`` returns them.
        weight : ndarray of float64, (n_rows,), optional
            Not negative; all 1 by default.
        """
        weights = np.ones((1, len(y))) if weight is None else weight[None, :].astype(np.float64)
        return float(self.formula(y, scores)(weights)[0])


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("roc_auc", ("binary",), True, ranking.roc_auc),
        Metric("average_precision", ("binary",), True, ranking.average_precision),
        Metric("roc_auc_ovr", ("multiclass",), True, ranking.roc_auc_ovr),
        Metric("log_loss", _CLASSES, False, probabilities.log_loss),
        Metric("brier", _CLASSES, False, probabilities.brier),
        Metric(
            "expected_calibration_error",
            ("binary",),
            False,
            probabilities.expected_calibration_error,
        ),
        Metric("accuracy", _CLASSES, True, decisions.accuracy),
        Metric("balanced_accuracy", _CLASSES, True, decisions.balanced_accuracy),
        Metric("precision", ("binary",), True, decisions.precision),
        Metric("recall", ("binary",), True, decisions.recall),
        Metric("f1", ("binary",), True, decisions.f1),
        Metric("f1_macro", ("multiclass",), True, decisions.f1_macro),
        Metric("mae", ("regression",), False, residuals.mae),
        Metric("rmse", ("regression",), False, residuals.rmse),
        Metric("r2", ("regression",), True, residuals.r2),
        Metric("median_absolute_error", ("regression",), False, residuals.median_absolute_error),
    )
}

PRIMARY_LOSS: dict[Task, str] = {
    "binary": "log_loss",
    "multiclass": "log_loss",
    "regression": "rmse",
}
"""The figure in which a learned model must beat the baseline."""

SLICE_METRICS: dict[Task, tuple[str, ...]] = {
    "binary": ("roc_auc", "log_loss", "brier"),
    "multiclass": ("accuracy", "log_loss", "roc_auc_ovr"),
    "regression": ("mae", "rmse"),
}
"""Figures of each slice; the first one ranks slices from worst to best."""


def metrics_of(task: Task, names: Sequence[str] | None = None) -> list[Metric]:
    """Return the metrics of a task, all of them or those named.

    Raises
    ------
    ConfigError
        If a name is not a metric of the task; the nearest name is offered.

    Examples
    --------
    >>> [metric.name for metric in metrics_of("regression")]
    ['mae', 'rmse', 'r2', 'median_absolute_error']
    """
    if names is None:
        return [metric for metric in METRICS.values() if task in metric.tasks]
    return [find_metric(name, task) for name in names]


def find_metric(name: str, task: Task, key: str | None = None) -> Metric:
    """Return the metric of this name.

    Parameters
    ----------
    name : str
    task : str
    key : str, optional
        The setting that named it, for the error.

    Raises
    ------
    ConfigError
        If it is not a metric of the task; the nearest name is offered.

    Examples
    --------
    >>> find_metric("rmsse", "regression")
    Traceback (most recent call last):
    gleis.contracts.errors.ConfigError: A regression task has no figure of this name: 'rmsse'. \
Did you mean rmse? Known: mae, rmse, r2, median_absolute_error.
    """
    known = [metric.name for metric in METRICS.values() if task in metric.tasks]
    if name in known:
        return METRICS[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise ConfigError(
        f"{key}: a {task} task has no figure of this name"
        if key
        else f"A {task} task has no figure of this name",
        seen=name,
        remedy=f"{hint}Known: {', '.join(known)}.",
        field=key or name,
    )
