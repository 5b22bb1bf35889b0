"""How far two sketches lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.profile import Sketch
from gleis.data.profile import bin_counts, check_bins


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
    p, q = bin_counts(reference).astype(float), bin_counts(live).astype(float)
    if not p.sum() or not q.sum():
        return float("nan")
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    divergence = sum(
        (side[side > 0] * np.log2(side[side > 0] / middle[side > 0])).sum() for side in (p, q)
    )
    return float(np.sqrt(max(divergence / 2, 0.0)))


def _smooth(sketch: Sketch) -> NDArray[np.float64]:
    counts = bin_counts(sketch) + 0.5
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares
