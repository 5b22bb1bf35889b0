"""The reliability diagram: scores against what happened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.evidence import CalibrationBin
from gleis.evidence.weighted import Floats


def calibration_bins(
    y: NDArray[np.generic], scores: Floats, n_bins: int = 10
) -> tuple[CalibrationBin, ...]:
    """Return bins of about equally many rows, by rising score; equal scores share a bin.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        0 or 1.
    scores : ndarray of float64, (n_rows,)
        Probability of class 1.
    n_bins : int
        At most so many; fewer where scores repeat.

    Returns
    -------
    tuple of CalibrationBin
        ``low`` and ``high`` are the smallest and largest score of the bin.

    References
    ----------
    Broecker, J. & Smith, L. A. (2007). Increasing the reliability of reliability diagrams.
    Weather and Forecasting 22, section 2.

    Examples
    --------
    >>> [(b.rows, b.observed) for b in calibration_bins(
    ...     np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.2, 0.9]), n_bins=2)]
    [(3, 0.3333333333333333), (1, 1.0)]
    """
    order = np.argsort(scores, kind="stable")
    rising, truth = scores[order], y[order].astype(np.float64)
    targets = np.arange(1, n_bins + 1) * len(rising) // n_bins
    # A cut inside a run of equal scores moves to the end of the run.
    ends = np.searchsorted(rising, rising[targets[targets > 0] - 1], side="right")
    ends = np.unique(ends)
    starts = np.concatenate([[0], ends[:-1]])
    rows = ends - starts
    predicted = np.add.reduceat(rising, starts) / rows
    observed = np.add.reduceat(truth, starts) / rows
    return tuple(
        CalibrationBin(
            low=float(rising[start]),
            high=float(rising[end - 1]),
            rows=int(count),
            predicted=float(p),
            observed=float(o),
        )
        for start, end, count, p, o in zip(starts, ends, rows, predicted, observed, strict=True)
    )
