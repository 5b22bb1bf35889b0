"""The one figure by which two ways to split are compared, and the difference of both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.figure import Figure
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

    References
    ----------
    Davison, A. C. & Hinkley, D. V. (1997). Bootstrap Methods and their Application, section 3.8
    (strategy 1: clusters are drawn, all rows of a cluster stay together).
    """
    weights = _draws(clusters, seed)
    lines = []
    for scores, folds in (loose, strict):
        lines.append(_statistic(name, y, scores, folds)(weights))
    floor = _ignorance(name, y)(weights)
    fall = np.maximum(lines[0], floor) - np.maximum(lines[1], floor)
    figures = [_figure(line) for line in (*lines, fall)]
    if any(figure is None for figure in figures):
        return None
    return tuple(figures)  # type: ignore[return-value]


def _draws(clusters: NDArray[np.intp], seed: int) -> Floats:
    """Row weights: first all rows once, then a line for each draw of clusters."""
    n_clusters = int(clusters.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=_REPLICATES)
    counts = np.vstack([np.ones(n_clusters, dtype=drawn.dtype), drawn])
    weights: Floats = counts[:, clusters].astype(np.float64)
    return weights


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


def _ignorance(name: str, y: NDArray[np.generic]) -> Callable[[Floats], Floats]:
    """What is reached without features: the largest class, a coin, the mean."""
    if name != "accuracy":
        level = 0.5 if name == "roc_auc" else 0.0
        return lambda weights: np.full(len(weights), level)
    classes = y.astype(np.intp)
    counts = sums_by(classes, int(classes.max()) + 1, np.ones(len(y)))
    return lambda weights: counts(weights).max(axis=1) / weights.sum(axis=1)


def _figure(line: Floats, level: float = 0.95) -> Figure | None:
    value, known = line[0], line[1:][np.isfinite(line[1:])]
    if not np.isfinite(value) or len(known) < 0.9 * (len(line) - 1):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Figure(
        value=float(value), low=float(min(low, value)), high=float(max(high, value)), level=level
    )
