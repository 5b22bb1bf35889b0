"""Numbers cut into a few ranges, and what then holds of a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.explanation import Condition, Value

Array = NDArray[Any]
QUARTILES = (0.25, 0.5, 0.75)


def edges_of(values: Array, shares: Sequence[float] = QUARTILES) -> Array:
    """Return where the values of a feature are cut: a range holds what is at most its upper edge.

    Parameters
    ----------
    values : ndarray, (n_rows,)
        NaN is left out.
    shares : sequence of float
        Of the rows below an edge, each in (0, 1).

    Returns
    -------
    ndarray
        Rising; no range is empty. Where all quantiles are the greatest value, the next one below.

    Examples
    --------
    >>> edges_of(np.array([1.0, 2.0, 3.0, 4.0, 5.0])).tolist()
    [2.0, 3.0, 4.0]
    >>> edges_of(np.array([9.0, 10.0, 10.0, 10.0, 10.0, 10.0, np.nan])).tolist()
    [9.0]
    """
    known = np.sort(values)[: len(values) - int(np.isnan(values).sum())]
    if not len(known) or known[0] == known[-1]:
        return np.empty(0)
    cuts = sorted({_quantile(known, share) for share in shares} - {float(known[-1])})
    if cuts:
        return np.array(cuts, dtype=np.float64)
    return known[np.searchsorted(known, known[-1]) - 1 :][:1]


def _quantile(known: Array, share: float) -> float:
    """Return the quantile of sorted values, between two of them linearly."""
    at = share * (len(known) - 1)
    below = int(at)
    first, second = known[below], known[min(below + 1, len(known) - 1)]
    return float(first + (second - first) * (at - below))


def places(values: Array, edges: Array) -> Array:
    """Return in which range each value lies, (n_rows,) int32; -1 where it is missing.

    Examples
    --------
    >>> places(np.array([1.0, 2.0, 2.5, 9.0, np.nan]), np.array([2.0, 3.0])).tolist()
    [0, 0, 1, 2, -1]
    """
    found = np.searchsorted(edges, values).astype(np.int32)
    found[np.isnan(values)] = -1
    return found


def codes(matrix: Array, numeric: Array, edges: Sequence[Array]) -> Array:
    """Return what each value counts as, (n_rows, n_features) int32: a range or a category's code.

    Parameters
    ----------
    matrix : ndarray, (n_rows, n_features)
    numeric : ndarray of bool, (n_features,)
    edges : sequence of ndarray
        Of each feature; of categories it is not looked at.
    """
    found = np.empty(matrix.shape, dtype=np.int32)
    for j, cuts in enumerate(edges):
        values = matrix[:, j]
        found[:, j] = places(values, cuts) if numeric[j] else np.nan_to_num(values, nan=-1)
    return found


def in_range(feature: str, low: float, high: float) -> Condition:
    """Return that a number lies above ``low`` and at or below ``high``; infinite where open.

    Examples
    --------
    >>> in_range("hour", 12, 18).text, in_range("hour", 18, np.inf).text
    ('12 < hour <= 18', 'hour > 18')
    """
    first = None if np.isneginf(low) else float(low)
    last = None if np.isposinf(high) else float(high)
    if first is None:
        text = f"{feature} is known" if last is None else f"{feature} <= {_shown(last)}"
    else:
        text = f"{feature} > {_shown(first)}"
        if last is not None:
            text = f"{_shown(first)} < {feature} <= {_shown(last)}"
    return Condition(feature=feature, text=text, low=first, high=last)


def is_value(feature: str, value: Value) -> Condition:
    """Return that a feature has a value, or that it is missing.

    Examples
    --------
    >>> is_value("carrier", "UA").text, is_value("temp", None).text
    ('carrier = UA', 'temp is missing')
    """
    if value is None:
        return Condition(feature=feature, text=f"{feature} is missing", missing=True)
    shown = str(value).lower() if isinstance(value, bool) else value
    return Condition(feature=feature, text=f"{feature} = {shown}", category=value)


def _shown(number: float) -> str:
    """Six digits are for reading; the condition's ``low`` and ``high`` are exact."""
    return f"{number:.6g}"
