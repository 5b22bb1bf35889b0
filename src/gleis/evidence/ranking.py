"""Metrics of order: whether higher scores belong to the rows that deserve them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.weighted import Floats, Statistic, ratio


def roc_auc(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Chance that a positive row scores above a negative one; ties count half. 0 to 1.

    ``sum_i w_i (N(s < s_i) + N(s = s_i) / 2) / (P N)`` over positive rows i, where N(.) adds
    up the weights of negative rows: the Mann-Whitney statistic. NaN with one class.

    References
    ----------
    Hanley, J. A. & McNeil, B. J. (1982). The meaning and use of the area under a receiver
    operating characteristic (ROC) curve. Radiology 143, eq. 1.
    """
    positive = np.flatnonzero(y == 1)
    negative = np.flatnonzero(y != 1)
    positive = positive[np.argsort(scores[positive])]
    negative = negative[np.argsort(scores[negative])]
    below = np.searchsorted(scores[negative], scores[positive], side="left")
    up_to = np.searchsorted(scores[negative], scores[positive], side="right")
    tied = not np.array_equal(below, up_to)

    def of(weights: Floats) -> Floats:
        passed = np.zeros((len(weights), len(negative) + 1))
        np.cumsum(weights[:, negative], axis=1, out=passed[:, 1:])
        mine = weights[:, positive]
        beaten = np.take(passed, below, axis=1)
        if tied:
            beaten = (beaten + np.take(passed, up_to, axis=1)) / 2
        wins = np.einsum("ri,ri->r", mine, beaten)
        return ratio(wins, mine.sum(axis=1) * passed[:, -1])

    return of


def average_precision(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Precision at each score, averaged over the positives found there. 0 to 1.

    ``sum_k (R_k - R_{k-1}) P_k`` over distinct scores in falling order, without
    interpolation. NaN without positives; the share of positives is what chance reaches.

    References
    ----------
    Su, W., Yuan, Y. & Zhu, M. (2015). A relationship between the average precision and the
    area under the ROC curve. ICTIR, eq. 1.
    """
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    truth = (y[order] == 1).astype(np.float64)
    distinct = len(last) == len(order)

    def of(weights: Floats) -> Floats:
        shown = weights[:, order]
        hits = shown * truth
        shown, found = np.cumsum(shown, axis=1), np.cumsum(hits, axis=1)
        if not distinct:
            shown, found = shown[:, last], found[:, last]
            hits = np.diff(found, axis=1, prepend=0.0)
        total = found[:, -1].copy()
        np.divide(found, shown, out=found, where=shown > 0)
        return ratio(np.einsum("rk,rk->r", hits, found), total)

    return of


def roc_auc_ovr(y: NDArray[np.generic], scores: Floats) -> Statistic:
    """Mean over classes of the ROC AUC of that class against the rest; NaN if one is absent.

    References
    ----------
    Provost, F. & Domingos, P. (2000). Well-trained PETs: improving probability estimation
    trees. CeDER Working Paper IS-00-04, section 4, with equal weights.
    """
    each = [roc_auc(y == k, scores[:, k]) for k in range(scores.shape[1])]
    return lambda weights: np.mean([of(weights) for of in each], axis=0)
