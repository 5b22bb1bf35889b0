"""Figures without intervals, for live windows and backtests: the gates' own formulas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.evidence.checks import check_scores
from gleis.evidence.metrics import metrics_of
from gleis.evidence.weighted import Floats


def measure(
    y: NDArray[np.generic], scores: Floats, task: Task, names: Sequence[str] | None = None
) -> dict[str, float]:
    """Return figures by name; NaN where one is undefined.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index (binary, multiclass) or value (regression); at least one row.
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
        As ``Model.predict`` returns them.
    task : str
    names : sequence of str, optional
        Which figures; by default all of the task.

    Raises
    ------
    DataError
        If labels or scores cannot be measured; see ``check_scores``.
    ConfigError
        If a name is not a metric of the task.

    Examples
    --------
    >>> measure(np.array([0, 1, 1]), np.array([0.1, 0.8, 0.6]), "binary", ["roc_auc", "brier"])
    {'roc_auc': 1.0, 'brier': 0.07}
    """
    chosen = metrics_of(task, names)
    check_scores(y, scores, task)
    return {metric.name: metric(y, scores) for metric in chosen}
