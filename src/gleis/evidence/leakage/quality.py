"""The one figure by which two ways to split are compared, and the difference of both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.figure import Figure
from gleis.evidence.bootstrap import figure_of, replicate
from gleis.evidence.leakage.folds import Folds
from gleis.evidence.metrics import METRICS
from gleis.evidence.ranking import roc_auc
from gleis.evidence.weighted import Floats, Statistic, ratio, sums_by

_LOPSIDED = 0.2
"""Where the rarer class is rarer than this, accuracy has little room and order is compared."""
_REPLICATES = 200


def quality_name(y: NDArray[np.generic], task: Task) -> str:
    """Name the figure: ``accuracy``, ``roc_auc`` for lopsided binary tasks, ``r2``.

    Examples
    --------
    >>> quality_name(np.array([0, 1] * 50), "binary")
    'accuracy'
    >>> quality_name(np.array([1] + [0] * 9), "binary")
    'roc_auc'
    """
    if task == "regression":
        return "r2"
    if task == "binary" and min((y == 1).mean(), (y != 1).mean()) < _LOPSIDED:
        return "roc_auc"
    return "accuracy"


def compare(
    name: str,
    y: NDArray[np.generic],
    loose: tuple[Floats, Folds],
    strict: tuple[Floats, Folds],
    clusters: NDArray[np.intp],
    seed: int,
) -> tuple[Figure, Figure, Figure] | None:
    """Return the figure under a loose and a strict way to split, and by how much it falls.

    Whole clusters are resampled, since the rows of one are not independent; both ways are
    measured on the same resamples. A figure that is worse than knowing nothing counts as
    knowing nothing in the fall: folds of whole groups have other shares of the classes than
    their training rows, which pushes an ignorant model below chance without any leak.

    Parameters
    ----------
    name : str
        As ``quality_name`` gives it. ``roc_auc`` compares rows of one fold only: scores of two
        fits have no common scale.
    y : ndarray, (n_rows,)
    loose, strict : (scores, folds), each (n_rows, ...) and (n_rows,)
        Scores of rows that were not fitted on, and the fold each row was scored in.
    clusters : ndarray of intp, (n_rows,)
        0 to n_clusters - 1.
    seed : int

    Returns
    -------
    tuple of Figure or None
        Loose, strict, fall, with percentile intervals; None where one is undefined.
    """
    statistics = [
        *(_statistic(name, y, scores, folds) for scores, folds in (loose, strict)),
        _ignorance(name, y),
    ]
    values, drawn = replicate(
        statistics, len(y), n_replicates=_REPLICATES, seed=seed, clusters=clusters
    )
    fall = np.maximum(values[0], values[2]) - np.maximum(values[1], values[2])
    falls = np.maximum(drawn[0], drawn[2]) - np.maximum(drawn[1], drawn[2])
    figures = (
        figure_of(float(values[0]), drawn[0]),
        figure_of(float(values[1]), drawn[1]),
        figure_of(float(fall), falls),
    )
    return None if None in figures else figures  # type: ignore[return-value]


def _statistic(name: str, y: NDArray[np.generic], scores: Floats, folds: Folds) -> Statistic:
    if name != "roc_auc":
        return METRICS[name].formula(y, scores)
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    each = [(part, roc_auc(y[part], scores[part]), y[part] == 1) for part in parts]

    def of(weights: Floats) -> Floats:
        wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
        for part, auc, positive in each:
            mine = weights[:, part]
            size = mine[:, positive].sum(axis=1) * mine[:, ~positive].sum(axis=1)
            wins += np.where(size > 0, np.nan_to_num(auc(mine)) * size, 0.0)
            pairs += size
        return ratio(wins, pairs)

    return of


def _ignorance(name: str, y: NDArray[np.generic]) -> Statistic:
    """What is reached without features: the largest class, a coin, the mean."""
    if name != "accuracy":
        level = 0.5 if name == "roc_auc" else 0.0
        return lambda weights: np.full(len(weights), level)
    classes = y.astype(np.intp)
    counts = sums_by(classes, int(classes.max()) + 1, np.ones(len(y)))
    return lambda weights: counts(weights).max(axis=1) / weights.sum(axis=1)
