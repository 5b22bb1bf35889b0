"""Rows of one day share their weather: how much more they err together than chance has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.weighted import Floats

LEAST = 4
"""Days from which on a spread between them is known at all."""


def day_spread(days: NDArray[np.intp], errors: Floats, variances: Floats) -> float:
    r"""Return the standard deviation of what days have in common, beyond chance.

    With :math:`v_k` the sum of variances on day :math:`k` and :math:`\delta_k` the sum of errors
    over it, the moment estimate :math:`(Q - (K - 1)) / (\sum v - \sum v^2 / \sum v)`, where
    :math:`Q = \sum v_k (\delta_k - \bar\delta)^2`; 0 if chance explains it.

    Parameters
    ----------
    days : ndarray of intp, (n_rows,)
        0, 1, ...: the day of each row.
    errors : ndarray, (n_rows,)
        What happened less what was expected; its slope in what days share is ``variances``.
    variances : ndarray, (n_rows,)

    References
    ----------
    DerSimonian, R. & Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical
    Trials 7, 177-188: the estimate of the variance between studies.

    Examples
    --------
    >>> days = np.repeat(np.arange(10), 100)
    >>> shifts = np.where(np.arange(10) % 2 == 0, 0.5, -0.5)
    >>> round(day_spread(days, np.repeat(shifts, 100), np.ones(1000)), 2)
    0.52
    """
    weight = np.bincount(days, variances)
    error = np.bincount(days, errors)
    known = weight > 0
    weight, shift = weight[known], error[known] / weight[known]
    if len(weight) < LEAST:
        return 0.0
    q = float((weight * (shift - np.average(shift, weights=weight)) ** 2).sum())
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    return float(np.sqrt(max(0.0, (q - (len(weight) - 1)) / scale))) if scale > 0 else 0.0
