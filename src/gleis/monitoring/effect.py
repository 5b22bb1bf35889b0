"""How large a change is, apart from how sure it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.profile import CategorySketch, Sketch

CAUTION = 200
"""The rows since a change are judged together with so many more that look like the reference."""


def cautious_psi(reference: NDArray[np.int64], live: NDArray[np.int64]) -> float:
    """Return the population stability index of few or many rows against the reference.

    With ``n`` live rows, reference shares ``p`` and ``q = (live + 200 p) / (n + 200)``::

        psi = sum((q - p) * ln(q / p)) - (bins - 1) * (n / (n + 200))^2 * (1 / n + 1 / m)

    The first term alone is inflated by chance: a few rows never fill many bins evenly. The second
    is what chance adds on average when nothing changed (chi-square with ``bins - 1`` degrees of
    freedom [1]_), ``m`` being the reference rows. Tends to the plain index as ``n`` grows.

    Parameters
    ----------
    reference, live : ndarray of int64
        (n_bins,) rows by bin.

    Returns
    -------
    float
        At least 0; 0 without rows on either side.

    References
    ----------
    .. [1] Yurdakul, Naranjo (2020). Statistical properties of the population stability index,
       section 3.
    """
    n, m = int(live.sum()), int(reference.sum())
    if not n or not m:
        return 0.0
    p = (reference + 0.5) / (m + 0.5 * len(reference))
    q = (live + CAUTION * p) / (n + CAUTION)
    used = int(((reference + live) > 0).sum())
    chance = (used - 1) * (n / (n + CAUTION)) ** 2 * (1 / n + 1 / m)
    return max(float(((q - p) * np.log(q / p)).sum()) - chance, 0.0)


def describe_shift(sketch: Sketch, reference: NDArray[np.int64], live: NDArray[np.int64]) -> str:
    """Say in words what moved: the share missing, the categories, or the median.

    Parameters
    ----------
    sketch : Sketch
        For its bins.
    reference, live : ndarray of int64
        (n_codes,) rows by code of `gleis.data.profile.code_values`.

    Examples
    --------
    >>> kinds = CategorySketch(categories=("AA", "UA"), counts=(5, 5), other=0, missing=0)
    >>> describe_shift(kinds, np.array([0, 50, 50, 0]), np.array([0, 10, 80, 10]))
    'share of AA 50.0% -> 10.0%, share of UA 50.0% -> 80.0%'
    """
    p, q = reference / max(reference.sum(), 1), live / max(live.sum(), 1)
    moved = np.abs(q - p)
    if moved[0] >= moved[1:].sum() / 2:
        return f"missing {_percent(p[0])} -> {_percent(q[0])}"
    if isinstance(sketch, CategorySketch):
        names = ["missing", *sketch.categories, "unknown values"]
        return ", ".join(_share(names[i], p[i], q[i]) for i in np.argsort(-moved)[:2] if moved[i])
    before, after = _median(sketch.edges, p[1:]), _median(sketch.edges, q[1:])
    if len(sketch.edges) > 10 and before != after:
        return f"median {before} -> {after}"
    i = int(np.argmax(moved[1:]))
    return _share(_interval(sketch.edges, i), p[i + 1], q[i + 1])


def _median(edges: tuple[float, ...], shares: NDArray[np.float64]) -> str:
    """Linear within its bin; a median in an open bin is only bounded."""
    passed = np.cumsum(shares)
    half = passed[-1] / 2
    i = int(np.searchsorted(passed, half))
    if i in (0, len(edges)):
        return _interval(edges, i)
    inside = (half - passed[i - 1]) / shares[i]
    return _number(edges[i - 1] + inside * (edges[i] - edges[i - 1]))


def _interval(edges: tuple[float, ...], i: int) -> str:
    if i == 0:
        return f"below {_number(edges[0])}" if edges else "any value"
    if i == len(edges):
        return f"above {_number(edges[-1])}"
    if np.nextafter(edges[i], -np.inf) <= edges[i - 1]:  # a frequent value has a bin of its own
        return f"values equal to {_number(edges[i])}"
    return f"values from {_number(edges[i - 1])} to {_number(edges[i])}"


def _share(name: str, before: float, after: float) -> str:
    return f"share of {name} {_percent(before)} -> {_percent(after)}"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
