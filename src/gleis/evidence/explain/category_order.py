"""An order of categories in which those that go with similar rows are neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Kind

Floats = NDArray[np.float64]
_POINTS = 20
"""Quantiles at which distributions of a number are compared."""


def order_categories(matrix: Floats, place: int, codes: Floats, kinds: Sequence[Kind]) -> Floats:
    """Order categories by what else their rows have.

    Two categories are as far apart as the distributions of the other features among their rows,
    added up: the largest difference of the distribution functions of a number
    (Kolmogorov-Smirnov, at its quantiles), half the sum of the differences of shares of a
    category (total variation); missing values are a category. Classical scaling of the distances
    to one dimension is the order; its direction is such that the first code in ``codes`` is in
    the first half.

    Parameters
    ----------
    matrix : ndarray, (n_rows, n_features)
    place : int
        The feature whose categories are ordered.
    codes : ndarray, (n_codes,)
        Those that are ordered; each has rows.
    kinds : sequence of str
        Of the features.

    Returns
    -------
    ndarray, (n_codes,)

    References
    ----------
    Apley, D. W. and Zhu, J. (2020). Visualizing the effects of predictor variables in black box
    supervised learning models. J. R. Statist. Soc. B 82, 1059-1086, appendix E.
    Torgerson, W. S. (1952). Multidimensional scaling: I. Theory and method. Psychometrika 17,
    401-419 (classical scaling).

    Examples
    --------
    >>> x = np.repeat([0.0, 1.0, 2.0], 50)
    >>> size = np.concatenate([np.arange(50), np.arange(50) + 40, np.arange(50) + 20])
    >>> matrix = np.column_stack([x, size.astype(float)])
    >>> order_categories(matrix, 0, np.array([0.0, 1.0, 2.0]), ("category", "number"))
    array([0., 2., 1.])
    """
    member = matrix[:, place][None, :] == codes[:, None]
    share = member / np.maximum(member.sum(axis=1, keepdims=True), 1)
    distance = np.zeros((len(codes), len(codes)))
    for j, kind in enumerate(kinds):
        if j != place:
            distance += _distance(matrix[:, j], share, kind in {"number", "integer"})
    coordinate = _one_dimension(distance)
    if coordinate[0] > np.median(coordinate):
        coordinate = -coordinate
    return codes[np.argsort(coordinate, kind="stable")]


def _distance(values: Floats, share: Floats, number: bool) -> Floats:
    """Return distances of the distributions of one feature, (n_codes, n_codes)."""
    known = values[~np.isnan(values)]
    if number and len(known):
        points = np.unique(np.quantile(known, np.linspace(0, 1, _POINTS), method="inverted_cdf"))
        below = np.array([values <= point for point in points] + [np.isnan(values)])
        found = share @ below.T
        return np.asarray(np.abs(found[:, None, :] - found[None, :, :]).max(axis=2))
    distinct = np.unique(known)
    places = np.where(np.isnan(values), len(distinct), np.searchsorted(distinct, values))
    shares = share @ np.eye(len(distinct) + 1)[places]
    return np.array([np.abs(shares - one).sum(axis=1) / 2 for one in shares])


def _one_dimension(distance: Floats) -> Floats:
    size = len(distance)
    centre = np.eye(size) - 1.0 / size
    gram = -0.5 * centre @ (distance**2) @ centre
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    first: Floats = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
    return first
