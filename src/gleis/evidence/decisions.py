"""Metrics of class decisions: the most probable class against the true one.

A binary row is called positive when its score is above 0.5; at exactly 0.5 it is not, as
``argmax`` over the two probabilities has it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.weighted import Floats, Statistic, mean_of, ratio, sums_by


def decide(scores: Floats) -> NDArray[np.intp]:
    """Return the most probable class of each row, the first one where several tie.

    Examples
    --------
    >>> decide(np.array([0.2, 0.5, 0.8]))
    array([0, 0, 1])
    """
    return scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0.5).astype(np.intp)


def accuracy(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Share of rows whose decision is right, ``sum(w [d = y]) / sum(w)``; 0 to 1."""
    return mean_of((decide(scores) == y).astype(np.float64))


def precision(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Share of rows called positive that are, ``TP / (TP + FP)``; NaN if none is called so."""
    confusion = _confusion(y, scores)

    def of(weights: Floats) -> Floats:
        table = confusion(weights)
        return ratio(table[:, 1, 1], table[:, :, 1].sum(axis=1))

    return of


def recall(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Share of positives called so, ``TP / (TP + FN)``; NaN without positives."""
    confusion = _confusion(y, scores)

    def of(weights: Floats) -> Floats:
        table = confusion(weights)
        return ratio(table[:, 1, 1], table[:, 1, :].sum(axis=1))

    return of


def f1(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Harmonic mean of precision and recall, ``2 TP / (2 TP + FP + FN)``.

    NaN with neither positives nor rows called so.

    References
    ----------
    van Rijsbergen, C. J. (1979). Information Retrieval, 2nd ed., chapter 7, with beta = 1.
    """
    confusion = _confusion(y, scores)
    return lambda weights: _f1_by_class(confusion(weights))[:, 1]


def f1_macro(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Mean over classes of each class's F1; classes neither seen nor predicted are left out.

    References
    ----------
    Opitz, J. & Burst, S. (2019). Macro F1 and macro F1. arXiv:1911.03347, eq. 2.
    """
    confusion = _confusion(y, scores)
    return lambda weights: _mean_of_known(_f1_by_class(confusion(weights)))


def balanced_accuracy(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Mean over the classes seen of the share of their rows decided right; 0 to 1.

    NaN with fewer than two classes.

    References
    ----------
    Brodersen, K. H. et al. (2010). The balanced accuracy and its posterior distribution.
    ICPR, section II.
    """
    confusion = _confusion(y, scores)

    def of(weights: Floats) -> Floats:
        table = confusion(weights)
        recalls = ratio(np.diagonal(table, axis1=1, axis2=2), table.sum(axis=2))
        seen = np.isfinite(recalls).sum(axis=1)
        return np.where(seen >= 2, _mean_of_known(recalls), np.nan)

    return of


def _confusion(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Weighted counts ``(n_replicates, n_classes, n_classes)``: truth by decision."""
    n_classes = scores.shape[1] if scores.ndim == 2 else 2
    cell = y.astype(np.intp) * n_classes + decide(scores)
    counts = sums_by(cell, n_classes * n_classes, np.ones(len(y)))
    return lambda weights: counts(weights).reshape(-1, n_classes, n_classes)


def _f1_by_class(table: Floats) -> Floats:
    """F1 ``(n_replicates, n_classes)`` from confusion counts."""
    right = np.diagonal(table, axis1=1, axis2=2)
    return ratio(2.0 * right, table.sum(axis=1) + table.sum(axis=2))


def _mean_of_known(values: Floats) -> Floats:
    """Mean over columns that are not NaN; NaN if all are."""
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))
