"""Scores and labels that can be measured, and those that cannot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.errors import DataError
from gleis.evidence.weighted import Floats

_SLACK = 1e-6
"""A probability may leave 0 to 1 by this much: float32 models do."""


def check_scores(y: NDArray[np.generic], scores: Floats, task: Task) -> None:
    """Refuse scores and labels that no formula may see.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index 0, 1, ... (binary, multiclass) or finite value (regression).
    scores : ndarray of float64
        (n_rows,) probabilities of class 1 or values; (n_rows, n_classes) for multiclass.
    task : str

    Raises
    ------
    DataError
        Wrong shape, no rows, a missing value, a probability outside 0 to 1, rows of
        probabilities that do not add up to 1, or a class index without a score.
    """
    if y.ndim != 1 or len(y) == 0:
        raise DataError("There are no labelled rows to measure on", seen=y.shape)
    wanted = 2 if task == "multiclass" else 1
    if scores.ndim != wanted or len(scores) != len(y):
        raise DataError(
            f"The scores of {len(y)} rows have the wrong shape for {task}",
            seen=scores.shape,
            remedy="A model returns one score a row, or for multiclass one a row and class.",
        )
    for name, values in (("score", scores), ("label", y)):
        if not np.isfinite(values).all():
            raise DataError(
                f"A {name} is missing or infinite in row {_first(~np.isfinite(values))}",
                remedy="The model or the baseline must answer every row with a finite number.",
            )
    if task != "regression":
        _check_probabilities(y, scores)


def _check_probabilities(y: NDArray[np.generic], scores: Floats) -> None:
    outside = (scores < -_SLACK) | (scores > 1 + _SLACK)
    if outside.any():
        raise DataError(
            f"A probability is outside 0 to 1 in row {_first(outside)}",
            seen=float(scores[outside][0]),
            remedy="Return probabilities, as predict_proba does.",
        )
    if scores.ndim == 2:
        uneven = np.abs(scores.sum(axis=1) - 1) > 1e-3
        if uneven.any():
            raise DataError(
                f"The class probabilities do not add up to 1 in row {_first(uneven)}",
                seen=float(scores[uneven][0].sum()),
                remedy="Divide each row by its sum.",
            )
    n_classes = scores.shape[1] if scores.ndim == 2 else 2
    classes = np.asarray(y, dtype=np.float64)
    unknown = (classes < 0) | (classes >= n_classes) | (classes != np.floor(classes))
    if unknown.any():
        raise DataError(
            f"A label is not a class index from 0 to {n_classes - 1} in row {_first(unknown)}",
            seen=float(classes[unknown][0]),
        )


def _first(found: NDArray[np.bool_]) -> int:
    rows = found if found.ndim == 1 else found.any(axis=1)
    return int(np.argmax(rows))
