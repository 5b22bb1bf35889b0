"""The bins of profile sketches: their counts, whether two are the same, quantiles within them.

Apart from `gleis.data.profile`, so that a service reads sketches without loading polars.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import DataError
from gleis.contracts.profile import CategorySketch, NumberSketch, Sketch

Counts = NDArray[np.int64]


def bin_counts(sketch: Sketch) -> Counts:
    """Return rows per code of `code_values`: missing first, unknown categories last.

    Returns
    -------
    ndarray of int64
        (n_bins + 1,) for numbers, (n_categories + 2,) for categories.
    """
    tail = (sketch.other,) if isinstance(sketch, CategorySketch) else ()
    return np.array((sketch.missing, *sketch.counts, *tail), dtype=np.int64)


def quantile(sketch: NumberSketch, q: float) -> float:
    """Return a quantile of the values that are not missing, linear within its bin.

    Parameters
    ----------
    sketch : NumberSketch
    q : float
        0 to 1.

    Returns
    -------
    float
        NaN if there are no values.

    Examples
    --------
    >>> from gleis.data.profile import sketch_number
    >>> abs(quantile(sketch_number(np.arange(1001)), 0.25) - 250) < 1
    True
    """
    if sketch.low is None or sketch.high is None:
        return float("nan")
    bounds = np.clip([sketch.low, *sketch.edges, sketch.high], sketch.low, sketch.high)
    passed = np.concatenate(([0.0], np.cumsum(sketch.counts)))
    wanted = q * passed[-1]
    i = int(np.clip(np.searchsorted(passed, wanted, side="left") - 1, 0, len(sketch.counts) - 1))
    inside = (wanted - passed[i]) / sketch.counts[i] if sketch.counts[i] else 0.0
    return float(bounds[i] + inside * (bounds[i + 1] - bounds[i]))


def check_bins(first: Sketch, second: Sketch, name: str) -> None:
    """Check that two sketches have the same bins or categories.

    Raises
    ------
    DataError
        If they differ; ``name`` is named.
    """
    if kind_of_bins(first) != kind_of_bins(second):
        raise DataError(
            f"The bins or categories of {name!r} differ",
            remedy="Make the second profile with like=the first.",
            field=name,
        )


def kind_of_bins(sketch: Sketch) -> tuple[str, tuple[Any, ...]]:
    """Return what two sketches must share to be compared: the kind, and categories or edges."""
    if isinstance(sketch, CategorySketch):
        return "category", sketch.categories
    return "number", sketch.edges
