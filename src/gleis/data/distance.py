"""How far two sketches lie apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.profile import Sketch
from gleis.data.bins import bin_counts, check_bins


def psi(reference: Sketch, live: Sketch) -> float:
    """Return the population stability index between two sketches.

    ``sum((q - p) * ln(q / p))`` over all bins, missing and unknown ones too, with half a row added
    to each bin so that an empty one stays finite. 0 means equal shares; 0.1 is commonly called a
    small and 0.25 a large shift.

    Raises
    ------
    DataError
        If bins or categories differ.

    References
    ----------
    .. [1] Kullback, Leibler (1951). On information and sufficiency: the divergence J(1, 2), which
       credit scoring calls PSI.
    """
    check_bins(reference, live, "the column")
    return psi_of(bin_counts(reference), bin_counts(live))


def psi_of(reference: NDArray[np.int64], live: NDArray[np.int64]) -> float:
    """Return the population stability index of rows by bin, each (n_bins,); see ``psi``.

    Examples
    --------
    >>> psi_of(np.array([50, 50]), np.array([50, 50]))
    0.0
    """
    p, q = _smooth(reference), _smooth(live)
    return float(((q - p) * np.log(q / p)).sum())


def js_distance(reference: Sketch, live: Sketch) -> float:
    """Return the Jensen-Shannon distance (base 2) between two sketches, 0 to 1.

    Missing and unknown values are bins of their own. NaN if one of the sketches is empty.

    Raises
    ------
    DataError
        If bins or categories differ.

    References
    ----------
    .. [1] Endres, Schindelin (2003). A new metric for probability distributions: the
       square root of the capacitory discrimination, here over two and in bits.
    """
    check_bins(reference, live, "the column")
    return js_distance_of(bin_counts(reference), bin_counts(live))


def js_distance_of(reference: NDArray[Any], live: NDArray[Any]) -> float:
    """Return the Jensen-Shannon distance of rows by bin, each (n_bins,); see ``js_distance``.

    Examples
    --------
    >>> js_distance_of(np.array([10, 0]), np.array([0, 10]))
    1.0
    """
    p, q = reference.astype(float), live.astype(float)
    if not p.sum() or not q.sum():
        return float("nan")
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    divergence = sum(
        (side[side > 0] * np.log2(side[side > 0] / middle[side > 0])).sum() for side in (p, q)
    )
    return float(np.sqrt(max(divergence / 2, 0.0)))


def _smooth(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = rows + 0.5
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares
