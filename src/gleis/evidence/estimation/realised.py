"""What labels said, as sums that add up and as figures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.estimation import ClassEstimation, Estimation
from gleis.evidence.estimation.class_sums import cells_of, places
from gleis.evidence.estimation.figures import count_figures
from gleis.evidence.losses import row_loss
from gleis.evidence.probabilities import brier
from gleis.evidence.weighted import Floats


def sum_truth(y: NDArray[np.generic], scores: Floats, estimation: Estimation, task: Task) -> Floats:
    """Return numbers that add up, (n_numbers,): rows, losses, and of classes rows by cell.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        At least one.
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    estimation : Estimation
    task : str

    Raises
    ------
    DataError
        If labels or scores cannot be measured; see ``check_scores``.
    """
    loss = row_loss(y, scores, task)
    if not isinstance(estimation, ClassEstimation):
        return np.array([len(y), np.sqrt(loss).sum(), loss.sum()])
    cells = cells_of(estimation.cuts, estimation.ranks)
    n_classes = len(estimation.shares[0])
    place = places(scores, cells) * n_classes + y.astype(np.intp)
    counts = np.bincount(place, minlength=len(cells.decided) * n_classes)
    score = float(brier(y, scores)(np.ones((1, len(y))))[0]) * len(y)
    return np.concatenate([[len(y), loss.sum(), score], counts])


def truth_figures(numbers: Floats, estimation: Estimation) -> dict[str, float]:
    """Return the figures that labels showed; order within a cell counts as tied.

    Examples
    --------
    >>> from gleis.contracts.estimation import Days, Node, ValueEstimation
    >>> days = Days(count=0, spread=(0.0,), score_spread=0.0)
    >>> one = ValueEstimation(
    ...     nodes=(Node(leaf=0),), rows=(9,), absolute=(1.0,), absolute_m2=(1.0,),
    ...     squared=(2.0,), squared_m2=(1.0,), days=days)
    >>> truth_figures(sum_truth(np.array([1.0, 3.0]), np.array([1.0, 5.0]), one, "regression"), one)
    {'mae': 1.0, 'mse': 2.0, 'rmse': 1.4142135623730951}
    """
    rows = float(numbers[0])
    if not isinstance(estimation, ClassEstimation):
        mae, mse = float(numbers[1]) / rows, float(numbers[2]) / rows
        return {"mae": mae, "mse": mse, "rmse": math.sqrt(mse)}
    cells = cells_of(estimation.cuts, estimation.ranks)
    counts = numbers[3:].reshape(1, len(cells.decided), -1)
    counted = count_figures(counts, cells.decided)
    found = {"log_loss": float(numbers[1]) / rows, "brier": float(numbers[2]) / rows}
    return found | {
        name: float(values[0]) for name, values in counted.items() if math.isfinite(values[0])
    }
