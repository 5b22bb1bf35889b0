"""How large a change is, apart from how sure it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.profile import CategorySketch, NumberSketch, Sketch
from gleis.data.distance import js_distance_of

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


def cautious_js(reference: NDArray[np.int64], live: NDArray[np.int64]) -> float:
    """Return the Jensen-Shannon distance (base 2, 0 to 1) of few or many rows to the reference.

    As `cautious_psi`: of ``q = (live + 200 p) / (n + 200)``, and what chance adds to its square,
    ``(bins - 1) / (8 ln 2) * (n / (n + 200))^2 * (1 / n + 1 / m)``, is taken off (the divergence is
    an eighth of chi-square's form near equality [1]_).

    Parameters
    ----------
    reference, live : ndarray of int64
        (n_bins,) rows by bin.

    References
    ----------
    .. [1] Endres, Schindelin (2003). A new metric for probability distributions, section 4.

    Examples
    --------
    >>> cautious_js(np.array([500, 500]), np.array([50, 50]))
    0.0
    """
    n, m = int(live.sum()), int(reference.sum())
    if not n or not m:
        return 0.0
    distance = js_distance_of(reference, live + CAUTION * reference / m)
    used = int(((reference + live) > 0).sum())
    chance = (used - 1) / (8 * math.log(2)) * (n / (n + CAUTION)) ** 2 * (1 / n + 1 / m)
    return math.sqrt(max(distance**2 - chance, 0.0))


def median_shift(
    sketch: Sketch, reference: NDArray[np.int64], live: NDArray[np.int64]
) -> float | None:
    """Return how far the median moved, in standard deviations of the reference.

    A median beyond the reference's range counts as its end. None for a category, a column without
    spread, or where no value is left on one side.
    """
    if not isinstance(sketch, NumberSketch) or not sketch.edges:
        return None
    known = sum(sketch.counts)
    spread = math.sqrt(sketch.m2 / max(known - 1, 1))
    if not live[1:].sum() or not known or not spread:
        return None
    before, after = (quantile_of(sketch.edges, rows[1:], 0.5) for rows in (reference, live))
    return (after - before) / spread


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
    if mostly_missing(reference, live):
        return f"missing {say_percent(p[0])} -> {say_percent(q[0])}"
    if isinstance(sketch, CategorySketch):
        names = ["missing", *sketch.categories, "unknown values"]
        return ", ".join(_share(names[i], p[i], q[i]) for i in np.argsort(-moved)[:2] if moved[i])
    before, after = say_median(sketch.edges, p[1:]), say_median(sketch.edges, q[1:])
    if len(sketch.edges) > 10 and before != after:
        return f"median {before} -> {after}"
    i = int(np.argmax(moved[1:]))
    return _share(_interval(sketch.edges, i), p[i + 1], q[i + 1])


def mostly_missing(reference: NDArray[np.int64], live: NDArray[np.int64]) -> bool:
    """Say whether it is missing values that changed, more than the values that are known.

    Both are measured by chi-square of homogeneity, less what chance adds to each on average (the
    degrees of freedom): in many bins chance alone moves more rows than a few missing ones.

    Parameters
    ----------
    reference, live : ndarray of int64
        (n_codes,) rows by code of `gleis.data.profile.code_values`.

    Examples
    --------
    >>> mostly_missing(np.array([10, 500, 490]), np.array([40, 500, 460]))
    True
    """
    totals = np.array((reference.sum(), live.sum()), dtype=float)
    if not totals.all() or reference[0] + live[0] == 0:
        return False
    gone = np.array((reference[0], live[0]), dtype=float)
    known = np.stack((reference[1:], live[1:])).astype(float)
    of_missing = _excess(np.stack((gone, totals - gone), axis=1))
    return bool(of_missing > 0 and of_missing >= _excess(known))


def _excess(table: NDArray[np.float64]) -> float:
    """Chi-square of a table of two lines, less its degrees of freedom; lowest without rows."""
    used = table[:, table.sum(axis=0) > 0]
    lines = used.sum(axis=1, keepdims=True)
    if not lines.all():
        return -math.inf
    expected = lines * used.sum(axis=0) / used.sum()
    return float(((used - expected) ** 2 / expected).sum() - (used.shape[1] - 1))


def quantile_of(edges: tuple[float, ...], rows: NDArray[Any], q: float) -> float:
    """Return a quantile of values by bin, linear within its bin; an open bin counts as its edge.

    Parameters
    ----------
    edges : tuple of float
        At least one.
    rows : ndarray
        (len(edges) + 1,) rows or shares by bin, not all 0.
    q : float
        0 to 1.
    """
    passed = np.cumsum(rows)
    wanted = passed[-1] * q
    i = int(np.searchsorted(passed, wanted))
    if i in (0, len(edges)):
        return edges[0] if i == 0 else edges[-1]
    inside = float((wanted - passed[i - 1]) / rows[i])
    return edges[i - 1] + inside * (edges[i] - edges[i - 1])


def say_median(edges: tuple[float, ...], shares: NDArray[np.float64]) -> str:
    """Write a median by bin; one in an open bin is only bounded."""
    passed = np.cumsum(shares)
    i = int(np.searchsorted(passed, passed[-1] / 2))
    if i in (0, len(edges)):
        return _interval(edges, i)
    return say_number(quantile_of(edges, shares, 0.5))


def _interval(edges: tuple[float, ...], i: int) -> str:
    if i == 0:
        return f"below {say_number(edges[0])}" if edges else "any value"
    if i == len(edges):
        return f"above {say_number(edges[-1])}"
    if np.nextafter(edges[i], -np.inf) <= edges[i - 1]:  # a frequent value has a bin of its own
        return f"values equal to {say_number(edges[i])}"
    return f"values from {say_number(edges[i - 1])} to {say_number(edges[i])}"


def _share(name: str, before: float, after: float) -> str:
    return f"share of {name} {say_percent(before)} -> {say_percent(after)}"


def say_percent(share: float) -> str:
    """Write a share: ``12.5%``."""
    return f"{share:.1%}"


def say_number(value: float) -> str:
    """Write a number in three digits."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
