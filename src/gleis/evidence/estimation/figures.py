"""Figures of a classifier from counts by cell: expected ones, drawn ones, or those that came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.weighted import Floats, ratio

_EULER = 0.5772156649015329
_FEW = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, 64))])


def count_figures(counts: Floats, decided: NDArray[np.intp]) -> dict[str, Floats]:
    """Return the figures of decisions and, if binary, of order.

    Parameters
    ----------
    counts : ndarray, (n_replicates, n_cells, n_classes)
        Rows by cell and true class; they need not be whole. Cells of a binary score rise.
    decided : ndarray of intp, (n_cells,)
        Class that each cell decides.

    Returns
    -------
    dict of str to ndarray, (n_replicates,)
        By the names of ``evidence.metrics``, and ``specificity``; NaN where undefined.
    """
    n_classes = counts.shape[2]
    confusion = np.zeros((len(counts), n_classes, n_classes))
    for k in range(n_classes):
        confusion[:, :, k] = counts[:, decided == k, :].sum(axis=1)
    right = np.diagonal(confusion, axis1=1, axis2=2)
    truth, called = confusion.sum(axis=2), confusion.sum(axis=1)
    recalls = ratio(right, truth)
    each_f1 = ratio(2.0 * right, truth + called)
    seen = np.isfinite(recalls).sum(axis=1)
    found = {
        "accuracy": ratio(right.sum(axis=1), truth.sum(axis=1)),
        "balanced_accuracy": np.where(seen >= 2, _mean_of_known(recalls), np.nan),
    }
    if n_classes > 2:
        return found | {"f1_macro": _mean_of_known(each_f1)}
    return found | {
        "precision": ratio(right[:, 1], called[:, 1]),
        "recall": recalls[:, 1],
        "specificity": recalls[:, 0],
        "f1": each_f1[:, 1],
        "roc_auc": ranked(counts[:, :, 1], counts[:, :, 0]),
        "average_precision": found_precision(counts[:, :, 1], counts.sum(axis=2)),
    }


def ranked(hits: Floats, others: Floats) -> Floats:
    """Return the ROC AUC from rows of the class and others by rising stretch of the score.

    Rows of one stretch are as good as tied.

    Parameters
    ----------
    hits, others : ndarray, (n_replicates, n_stretches)

    Examples
    --------
    >>> ranked(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]))
    array([1.])
    """
    below = np.cumsum(others, axis=1) - others / 2
    return ratio((hits * below).sum(axis=1), hits.sum(axis=1) * others.sum(axis=1))


def found_precision(hits: Floats, rows: Floats) -> Floats:
    r"""Return the average precision from hits and rows by rising stretch of the score.

    Within a stretch hits are spread evenly: of :math:`n` rows with share :math:`c` after
    :math:`N` rows with :math:`T` hits the sum :math:`\sum_{m=1}^n c\,(T + cm)/(N + m)` is
    :math:`c\,(cn + (T - cN)(H_{N+n} - H_N))` with harmonic numbers :math:`H`.

    Parameters
    ----------
    hits, rows : ndarray, (n_replicates, n_stretches)

    References
    ----------
    Su, W., Yuan, Y. & Zhu, M. (2015). A relationship between the average precision and the area
    under the ROC curve. ICTIR, eq. 1.

    Examples
    --------
    >>> found_precision(np.array([[0.0, 2.0]]), np.array([[8.0, 2.0]]))
    array([1.])
    """
    hits, rows = hits[:, ::-1], rows[:, ::-1]
    before, shown = np.cumsum(hits, axis=1) - hits, np.cumsum(rows, axis=1) - rows
    share = np.where(rows > 0, ratio(hits, rows), 0.0)
    more = harmonic(shown + rows) - harmonic(shown)
    gained = share * (share * rows + (before - share * shown) * more)
    return ratio(gained.sum(axis=1), hits.sum(axis=1))


def harmonic(n: Floats) -> Floats:
    """Return harmonic numbers; of what is not whole, between them.

    Examples
    --------
    >>> harmonic(np.array([0.0, 1.0, 2.0])).tolist()
    [0.0, 1.0, 1.5]
    """
    few = np.interp(n, np.arange(len(_FEW)), _FEW)
    many = np.maximum(n, 1.0)
    far = np.log(many) + _EULER + 1 / (2 * many) - 1 / (12 * many**2)
    return np.where(n < len(_FEW) - 1, few, far)


def _mean_of_known(values: Floats) -> Floats:
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))
