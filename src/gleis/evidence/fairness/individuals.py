"""Whether people who are alike are treated alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.figure import Figure
from gleis.evidence.fairness.intervals import quantile_of
from gleis.evidence.weighted import Floats

NEIGHBOURS = 5
SAMPLED = 2_000
"""Rows that are compared, at most: distances grow with their square."""
_BLOCK = 500


def consistency(
    decisions: NDArray[np.generic], features: Floats, *, seed: int = 0, level: float = 0.95
) -> Figure:
    """Return one less the mean gap between a row's decision and its neighbours' mean decision.

    ``1 - 1/n sum_i |d_i - mean_{j in N(i)} d_j|`` with the five nearest rows, the row itself
    among them; 0 to 1, and 1 where like rows are decided alike. Over 2,000 rows a sample of them is
    compared. The interval is normal, of a mean of rows.

    Parameters
    ----------
    decisions : ndarray, (n_rows,)
        1 where the decision was good, else 0.
    features : ndarray of float64, (n_rows, n_features)
        On scales that can be compared, without missing values.
    seed : int
        Draws the sample.
    level : float

    References
    ----------
    Zemel, R. et al. (2013). Learning fair representations. ICML, section 4.1, yNN.

    Examples
    --------
    >>> round(consistency(np.array([1, 1, 1, 0, 0, 0]), np.arange(6.0)[:, None]).value, 4)
    0.6
    """
    if len(decisions) > SAMPLED:
        rows = np.random.default_rng(seed).choice(len(decisions), SAMPLED, replace=False)
        decisions, features = decisions[rows], features[rows]
    given = decisions.astype(np.float64)
    k = min(NEIGHBOURS, len(given))
    lengths = (features**2).sum(axis=1)
    gaps = np.empty(len(given))
    for start in range(0, len(given), _BLOCK):
        part = slice(start, start + _BLOCK)
        apart = lengths - 2 * np.einsum("if,jf->ij", features[part], features)
        near = np.argpartition(apart, k - 1, axis=1)[:, :k]
        gaps[part] = np.abs(given[part] - given[near].mean(axis=1))
    value = 1.0 - float(gaps.mean())
    half = quantile_of(level) * float(gaps.std()) / len(gaps) ** 0.5
    return Figure(value=value, low=max(0.0, value - half), high=min(1.0, value + half), level=level)
