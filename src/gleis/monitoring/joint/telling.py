"""Functions of a row that tell now from then, learned on some rows and used on others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Tell = Callable[[Matrix], Matrix]
"""(n_rows, n_columns) -> (n_rows,): the larger, the more a row looks like now."""
Method = Literal["classifier", "energy"]

_RIDGE = 0.003
"""Of the mean of the kernel's diagonal, by row."""


def learn_telling(now: Matrix, then: Matrix, method: Method) -> Tell:
    """Learn to tell.

    Parameters
    ----------
    now, then : ndarray of float64, (n_rows, n_columns) each
        Normal scores.
    method : {"classifier", "energy"}
        See ``kernel_classifier`` and ``energy_witness``.
    """
    return kernel_classifier(now, then) if method == "classifier" else energy_witness(now, then)


def energy_witness(now: Matrix, then: Matrix) -> Tell:
    """Return the witness of the energy distance: mean distance to then, less mean distance to now.

    Its mean over rows of now, less its mean over rows of then, estimates the energy distance
    ``2 E|X - Y| - E|X - X'| - E|Y - Y'|``, which is 0 for equal distributions only [1]_.

    References
    ----------
    .. [1] Szekely, Rizzo (2013). Energy statistics: a class of statistics based on distances.
       J. Statist. Planning and Inference 143(8), equation 2.1 and proposition 1.

    Examples
    --------
    >>> tell = energy_witness(np.array([[1.0]]), np.array([[-1.0]]))
    >>> tell(np.array([[1.0], [0.0], [-1.0]])).tolist()
    [2.0, 0.0, -2.0]
    """
    return lambda rows: _distances(rows, then) - _distances(rows, now)


def kernel_classifier(now: Matrix, then: Matrix) -> Tell:
    """Fit a domain classifier: ridge regression of now (1) and then (-1) on pairs of columns.

    With the kernel ``(1 + x'y / d)**2`` it is linear in all products of two columns [1]_, which is
    where a change of their correlation shows, and needs no more memory than rows squared.

    References
    ----------
    .. [1] Saunders, Gammerman, Vovk (1998). Ridge regression learning algorithm in dual variables,
       section 3 (the fit) and section 4 (polynomial kernels).
    .. [2] Lopez-Paz, Oquab (2017). Revisiting classifier two-sample tests, section 3.
    """
    rows = np.concatenate((now, then))
    sides = np.concatenate((np.ones(len(now)), -np.ones(len(then))))
    products = _kernel(rows, rows)
    ridge = _RIDGE * len(rows) * float(np.mean(np.diag(products)))
    weights = np.linalg.solve(products + ridge * np.eye(len(rows)), sides)
    return lambda asked: _kernel(asked, rows) @ weights


def _kernel(first: Matrix, second: Matrix) -> Matrix:
    kernel: Matrix = (1.0 + first @ second.T / first.shape[1]) ** 2
    return kernel


def _distances(rows: Matrix, others: Matrix) -> Matrix:
    """Mean Euclidean distance of each row to the others, (n_rows,)."""
    squares = (rows**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2.0 * rows @ others.T
    means: Matrix = np.sqrt(np.maximum(squares, 0.0)).mean(axis=1)
    return means
