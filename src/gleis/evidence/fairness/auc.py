"""The area under the ROC curve of each group, and how well it is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.fairness.groups import Groups, Partition
from gleis.evidence.weighted import Floats, ratio

EXACT_ROWS = 100_000
"""Above this, scores are ranked in a thousand bins: the same to about 1e-5."""
_BINS = 1024
_DROPPED = 13
"""Of the 23 bits of a float32's fraction."""
_TOP = 2 * (int(np.float32(0.5).view(np.int32)) >> _DROPPED) + 1
_SAMPLED = 100_000
_CELLS = 2**23
"""Counts held at once (64 MB)."""

Areas = list[tuple[Floats, Floats]]
"""For each partition, and last for all rows, areas and standard errors, each (n_groups,)."""


def areas(y: NDArray[np.generic], scores: Floats, groups: Groups) -> Areas:
    """Return the AUC of every group of every partition and of all rows, with its standard error.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        1 where the outcome was good, else 0.
    scores : ndarray of float64, (n_rows,)
    groups : Groups

    Returns
    -------
    list of (ndarray, ndarray)
        NaN where a group has one outcome only.
    """
    whole = Partition((), ((),), np.zeros(groups.n_finest, dtype=np.intp))
    parts = [*groups.partitions, whole]
    if len(y) > EXACT_ROWS:
        return _binned(y, scores, groups, parts)
    order = np.argsort(scores, kind="stable")
    positive, ranked, codes = (y == 1)[order], scores[order], groups.codes[order]
    return [_sorted(positive, ranked, part.of_finest[codes], part) for part in parts]


def area_of(positives: Floats, negatives: Floats) -> tuple[Floats, Floats]:
    """Return the AUC and its standard error from counts at rising scores; ties count half.

    Parameters
    ----------
    positives, negatives : ndarray of float64, (..., n_scores)

    References
    ----------
    DeLong, E. R., DeLong, D. M. & Clarke-Pearson, D. L. (1988). Comparing the areas under two or
    more correlated receiver operating characteristic curves. Biometrics 44, eqs. 2 and 5.

    Examples
    --------
    >>> area_of(np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0]))[0]
    array(0.875)
    """
    n_pos, n_neg = positives.sum(axis=-1), negatives.sum(axis=-1)
    below = np.cumsum(negatives, axis=-1) - negatives / 2
    above = n_pos[..., None] - np.cumsum(positives, axis=-1) + positives / 2
    area = ratio(np.einsum("...k,...k->...", positives, below), n_pos * n_neg)
    squares = np.einsum("...k,...k,...k->...", positives, below, below)
    spread = ratio(squares, n_pos * n_neg**2) - area**2
    squares = np.einsum("...k,...k,...k->...", negatives, above, above)
    other = ratio(squares, n_neg * n_pos**2) - area**2
    variance = ratio(spread, n_pos - 1.0) + ratio(other, n_neg - 1.0)
    return area, np.sqrt(np.maximum(_if_separated(area, variance, n_pos, n_neg), 0.0))


def _if_separated(area: Floats, variance: Floats, n_pos: Floats, n_neg: Floats) -> Floats:
    """Return the largest variance there can be where the rows show none, or one row is alone.

    A few rows that happen to be ranked without a mistake would otherwise be known to be always.

    References
    ----------
    Birnbaum, Z. W. & Klose, O. M. (1957). Bounds for the variance of the Mann-Whitney statistic.
    Annals of Mathematical Statistics 28, ``A (1 - A) / min(P, N)``; here with half a pair added on
    either side.
    """
    fewer = np.minimum(n_pos, n_neg)
    near = (area * fewer + 0.5) / (fewer + 1.0)
    separated = (area == 0.0) | (area == 1.0) | ((fewer == 1.0) & ~np.isfinite(variance))
    return np.where(separated, near * (1.0 - near) / (fewer + 1.0), variance)


def _sorted(
    positive: NDArray[np.bool_], ranked: Floats, codes: NDArray[np.intp], part: Partition
) -> tuple[Floats, Floats]:
    """Take rows at rising scores group by group."""
    n_groups = len(part.names)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=n_groups))
    found = np.empty((n_groups, 2))
    for group, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        rows = order[start:end]
        score, truth = ranked[rows], positive[rows].astype(np.float64)
        first = np.flatnonzero(np.append(True, score[1:] != score[:-1]))
        found[group] = area_of(np.add.reduceat(truth, first), np.add.reduceat(1.0 - truth, first))
    return found[:, 0], found[:, 1]


def _binned(
    y: NDArray[np.generic], scores: Floats, groups: Groups, parts: list[Partition]
) -> Areas:
    n_bins = max(64, min(_BINS, _CELLS // (2 * groups.n_finest)))
    bin_of = _even_bins(scores, n_bins)
    size = groups.n_finest * 2 * n_bins
    counts, step = np.zeros(size), max(2**16, size)
    for start in range(0, len(y), step):
        part = slice(start, start + step)
        cell = (groups.codes[part] * 2 + (y[part] == 1)) * n_bins + bin_of(scores[part])
        counts += np.bincount(cell, minlength=size)
    table = counts.reshape(groups.n_finest, 2, n_bins)
    merged = (each.merge(table, axis=0) for each in parts)
    return [area_of(each[:, 1], each[:, 0]) for each in merged]


def _even_bins(scores: Floats, n_bins: int) -> Callable[[Floats], NDArray[np.intp]]:
    """Return a function that ranks scores in bins of about equally many rows of a sample."""
    sample = _place(scores[:: 1 + len(scores) // _SAMPLED])
    passed = np.cumsum(np.bincount(sample, minlength=_TOP + 1)) - 1
    bins = np.minimum(passed * n_bins // len(sample), n_bins - 1).clip(0)

    def bin_of(part: Floats) -> NDArray[np.intp]:
        found: NDArray[np.intp] = bins[_place(part)]
        return found

    return bin_of


def _place(scores: Floats) -> NDArray[np.int32]:
    """Return whole numbers that rise with the score, finely near 0 and near 1.

    They are the leading bits of the distance to the nearer end: a step is a thousandth of it.
    """
    distance = np.maximum(np.minimum(scores, 1.0 - scores), 0.0).astype(np.float32)
    bits = distance.view(np.int32) >> _DROPPED
    return np.where(scores > 0.5, _TOP - bits, bits)
