"""A weighted linear fit, and how well it foretells what it has not seen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_FOLDS = 5


class LocalFit(NamedTuple):
    """A linear function."""

    intercept: float
    coef: Array
    """(n_terms,)."""
    r2: float
    """Weighted R2 on held-out rows; 1 where there is nothing to explain."""


def ridge(terms: Array, target: Array, weights: Array, alpha: float) -> tuple[float, Array]:
    r"""Minimise :math:`\sum_i w_i (y_i - b - z_i c)^2 + \alpha \lVert c \rVert^2`.

    Parameters
    ----------
    terms : ndarray, (n_rows, n_terms)
    target, weights : ndarray, (n_rows,)
    alpha : float
        At least 0; the intercept is not penalised.

    Returns
    -------
    intercept : float
    coef : ndarray, (n_terms,)

    References
    ----------
    Hoerl, A. E., Kennard, R. W. (1970). Ridge regression: biased estimation for nonorthogonal
    problems. Technometrics 12, 55-67, equation 2.1.
    """
    moments = _moments(terms, target, weights)
    found = _solve(*moments, alpha)
    return float(found[0]), found[1:]


def fit_locally(
    terms: Array, target: Array, weights: Array, alpha: float, *, certain: float = 0.0
) -> LocalFit:
    r"""Fit all rows, and five times all but a fifth: each row is foretold by a fit without it.

    Terms whose coefficient may be chance are left out, and the others fitted again: those within
    ``certain`` standard errors of 0, by the sandwich :math:`A^{-1} (\sum_i w_i^2 e_i^2 z_i z_i^T)
    A^{-1}` with :math:`A = \sum_i w_i z_i z_i^T + \alpha I`, of centred terms and residuals e.

    Parameters
    ----------
    terms, target, weights, alpha
        As for ``ridge``.
    certain : float
        Standard errors; 0 keeps all terms.

    References
    ----------
    White, H. (1980). A heteroskedasticity-consistent covariance matrix estimator and a direct test
    for heteroskedasticity. Econometrica 48, 817-838, theorem 1.
    """
    parts = [
        _moments(terms[k::_FOLDS], target[k::_FOLDS], weights[k::_FOLDS]) for k in range(_FOLDS)
    ]
    left = np.sum([part[0] for part in parts], axis=0)
    right = np.sum([part[1] for part in parts], axis=0)
    found = _solve(left, right, alpha)
    kept = np.ones(len(found), dtype=bool)
    if certain > 0:
        error = _errors(terms, target - found[0] - terms @ found[1:], weights, left, alpha)
        kept[1:] = np.abs(found[1:]) > certain * error
        found[~kept] = 0.0
        found[kept] = _solve(left[np.ix_(kept, kept)], right[kept], alpha)
    missed = 0.0
    for k, (own_left, own_right) in enumerate(parts):
        without = np.zeros(len(found))
        rest = (left - own_left)[np.ix_(kept, kept)]
        without[kept] = _solve(rest, (right - own_right)[kept], alpha)
        foretold = without[0] + terms[k::_FOLDS] @ without[1:]
        missed += float(weights[k::_FOLDS] @ (target[k::_FOLDS] - foretold) ** 2)
    mean = float(weights @ target / weights.sum())
    spread = float(weights @ (target - mean) ** 2)
    constant = spread <= 1e-20 * float(weights.sum()) * max(1.0, mean * mean)
    return LocalFit(float(found[0]), found[1:], 1.0 if constant else 1.0 - missed / spread)


def _errors(terms: Array, residual: Array, weights: Array, left: Array, alpha: float) -> Array:
    """Return the standard errors of coefficients, (n_terms,)."""
    centre = left[0, 1:] / left[0, 0]
    square = left[1:, 1:] - left[0, 0] * np.outer(centre, centre)
    square.flat[:: len(square) + 1] += alpha
    push = (weights * residual) ** 2
    around, _ = _moments(terms, residual, push)
    cross = np.outer(centre, around[0, 1:])
    pushed = around[1:, 1:] - cross - cross.T + around[0, 0] * np.outer(centre, centre)
    bread = np.linalg.inv(square) if alpha > 0 else np.linalg.pinv(square, hermitian=True)
    variance = ((bread @ pushed) * bread).sum(axis=1)
    found: Array = np.sqrt(np.maximum(variance, 0.0))
    return found


def _moments(terms: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    wide = np.empty((len(terms), terms.shape[1] + 1))
    wide[:, 0], wide[:, 1:] = 1.0, terms
    # The product of an array with itself takes half the time.
    root = np.sqrt(weights)
    wide *= root[:, None]
    return wide.T @ wide, wide.T @ (root * target)


def _solve(left: Array, right: Array, alpha: float) -> Array:
    """Centre first, as a constant column would spoil the condition; least norm where singular."""
    total = left[0, 0]
    centre = left[0, 1:] / total
    square = left[1:, 1:] - total * np.outer(centre, centre)
    cross = right[1:] - centre * right[0]
    square.flat[:: len(square) + 1] += alpha
    if not len(cross):
        return np.array([right[0] / total])
    coef = (
        np.linalg.solve(square, cross)
        if alpha > 0
        else np.linalg.lstsq(square, cross, rcond=1e-12)[0]
    )
    return np.concatenate([[(right[0] - left[0, 1:] @ coef) / total], coef])
