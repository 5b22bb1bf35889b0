"""The loss of each row, and the scores as named columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract, Task
from gleis.evidence.checks import check_scores
from gleis.evidence.weighted import Floats

_EPS = float(np.finfo(np.float64).eps)


def log_losses(y: NDArray[np.generic], scores: Floats) -> Floats:
    """Return minus the log of the probability given to what happened, in nats.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index.
    scores : ndarray of float64
        (n_rows,) probability of class 1, or (n_rows, n_classes); clipped to
        [2.2e-16, 1 - 2.2e-16] as scikit-learn does.

    Returns
    -------
    ndarray of float64, (n_rows,)

    References
    ----------
    Good, I. J. (1952). Rational decisions. J. R. Statist. Soc. B 14, section 8.

    Examples
    --------
    >>> log_losses(np.array([1, 0]), np.array([0.5, 0.0])).round(4)
    array([0.6931, 0.    ])
    """
    if scores.ndim == 2:
        given = scores[np.arange(len(y)), y.astype(np.intp)]
    else:
        given = np.where(y == 1, scores, 1.0 - scores)
    losses: Floats = -np.log(np.clip(given, _EPS, 1.0 - _EPS))
    return losses


def row_loss(y: NDArray[np.generic], scores: Floats, task: Task) -> Floats:
    """Return the loss of each row: log loss (nats), or squared error for regression.

    Its mean over rows is the gate's ``log_loss``, or the square of its ``rmse``.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index (binary, multiclass) or value (regression).
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
        As ``Model.predict`` returns them.
    task : str

    Returns
    -------
    ndarray of float64, (n_rows,)

    Raises
    ------
    DataError
        If labels or scores cannot be measured; see ``check_scores``.

    Examples
    --------
    >>> row_loss(np.array([2.0, 3.0]), np.array([2.5, 3.0]), "regression")
    array([0.25, 0.  ])
    """
    check_scores(y, scores, task)
    if task == "regression":
        squared: Floats = (y.astype(np.float64) - scores) ** 2
        return squared
    return log_losses(y, scores)


def score_columns(scores: Floats, contract: Contract) -> dict[str, Floats]:
    """Return the scores by name: ``score``, or ``score:CLASS`` for each class (multiclass).

    Parameters
    ----------
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    contract : Contract

    Returns
    -------
    dict of str to ndarray of float64, each (n_rows,)
    """
    if contract.task != "multiclass":
        return {"score": scores}
    return {f"score:{name}": scores[:, k] for k, name in enumerate(contract.classes or ())}
