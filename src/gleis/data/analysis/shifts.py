"""How far a column's distribution moved, and how far it would move by chance."""

from __future__ import annotations

from math import asin, log, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

from gleis.contracts.analysis import ColumnKind
from gleis.contracts.difference import CategoryChange, Shift, Size
from gleis.data.analysis.coded import MOST
from gleis.data.analysis.columns import BINS, kind_of
from gleis.data.distance import psi_of
from gleis.data.privacy.mask import mask

_LEVELS = 4096
"""Quantiles at which the Wasserstein distance is summed up."""
_SHOWN = 5
_HARMLESS = ("difference", "low", "high", "distance", "distance_noise")
"""Figures of numbers that are no values of people."""
_SIZES: tuple[Size, ...] = ("negligible", "small", "medium", "large")


class Overlap(NamedTuple):
    """Rows of both tables in which a column is the same: they do not move it."""

    kept: int
    """With a value."""
    same: int
    """With a value, or missing in both."""


def shift_of(
    before: pl.Series,
    after: pl.Series,
    overlap: Overlap,
    alpha: float,
    *,
    role: str = "feature",
    as_category: bool = False,
    personal: bool = False,
) -> Shift:
    """Compare a column of two tables.

    If rows are independent and nothing changed, the difference of two means has the variance
    ``v`` times that of a row, with ``v = 1/n + 1/m - 2k/(nm)`` for ``n`` and ``m`` rows of which
    ``k`` are the same: those cancel. Everything here is held against that ``v``.

    - Numbers: the standardised mean difference ``d`` with the interval
      ``d +- z sqrt(v + d^2 / 2(n + m - 2))`` [1]_; and the Wasserstein distance in standard
      deviations. By chance that reaches ``sqrt(v) (sqrt(2/pi) I + sqrt(2 log(1/alpha)))``, where
      ``I`` is the integral of ``sqrt(F(1 - F))`` in standard deviations: the mean of the integral
      of a Brownian bridge over ``F``, and Borell's inequality [2]_, as its norm deviates by at
      most one standard deviation of the column.
    - Categories: the population stability index, about ``v`` times a chi-square of as many
      degrees of freedom as there are categories less one; and each category's share, with
      ``z sqrt(v p (1 - p))`` by chance and Cohen's ``h``, the difference of
      ``2 arcsin(sqrt(p))`` [3]_, as its size.
    - The share of missing values, as that of a category.

    Parameters
    ----------
    before, after : Series, (n_rows_before,) and (n_rows_after,)
        Of one type.
    overlap : Overlap
    alpha : float
        Chance that a column which did not change is called so.
    role : str
    as_category : bool
        Whether numbers are classes.
    personal : bool
        Whether its values are masked.

    References
    ----------
    .. [1] Hedges, Olkin (1985). Statistical methods for meta-analysis, chapter 5, equation 15.
    .. [2] Borell (1975). The Brunn-Minkowski inequality in Gauss space. Inventiones 30.
    .. [3] Cohen (1988). Statistical power analysis for the behavioral sciences, section 6.2.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> one, two = (pl.Series("x", draw.normal(m, 1, 4000)) for m in (0.0, 0.5))
    >>> found = shift_of(one, two, Overlap(0, 0), 0.05)
    >>> found.size, found.beyond_chance, round(found.difference, 1)
    ('medium', True, 0.5)
    """
    kind: ColumnKind = "category" if as_category else kind_of(after.dtype)
    missing = _missing(before, after, overlap.same, alpha)
    old, new = before.drop_nulls(), after.drop_nulls()
    if kind == "time":
        moved = _times(old, new)
    elif not len(old) or not len(new):
        moved = _Moved({}, 0, beyond=False, told="")
    elif kind == "number":
        moved = _numbers(_floats(old), _floats(new), overlap.kept, alpha)
    else:
        texts = (old.cast(pl.String), new.cast(pl.String))
        moved = _categories(*texts, overlap.kept, alpha, personal=personal)
    if personal and kind != "category":
        # Bounds and edges of bins are values too.
        shown = {k: v for k, v in moved.figures.items() if k in _HARMLESS}
        moved = moved._replace(figures=shown, told="")
    rank = max(moved.rank, missing.rank)
    beyond = moved.beyond or missing.beyond
    told = "; ".join(each.told for each in (moved, missing) if each.told)
    return Shift(
        column=after.name,
        kind=kind,
        role=role,
        size=_SIZES[rank] if beyond else "none",
        beyond_chance=beyond,
        sentence=told,
        **moved.figures,
        **missing.figures,
    )


class _Moved(NamedTuple):
    figures: dict[str, Any]
    rank: int
    """Place among `_SIZES`."""
    beyond: bool
    told: str


def chance_variance(n: int, m: int, kept: int) -> float:
    """Return ``1/n + 1/m - 2k/(nm)``: 0 where all rows are the same.

    Examples
    --------
    >>> chance_variance(100, 100, 100)
    0.0
    >>> chance_variance(100, 125, 100) == 1 / 100 - 1 / 125  # 25 rows were appended
    True
    """
    if not n or not m:
        return float("inf")
    return max(0.0, round(1 / n + 1 / m - 2 * kept / (n * m), 15))


def _floats(values: pl.Series) -> NDArray[np.float64]:
    numbers = values.cast(pl.Float64).sort().to_numpy()
    finite: NDArray[np.float64] = numbers[np.isfinite(numbers)]
    return finite


def _numbers(old: NDArray[np.float64], new: NDArray[np.float64], kept: int, alpha: float) -> _Moved:
    n, m = len(old), len(new)
    if n < 2 or m < 2:
        return _Moved({}, 0, beyond=False, told="")
    scale = _scale(old, new)
    old, new = old / scale, new / scale
    spread = sqrt((float(old.var(ddof=1)) + float(new.var(ddof=1))) / 2)
    means = {"mean_before": float(old.mean()), "mean_after": float(new.mean())}
    if old[0] == old[-1] and new[0] == new[-1]:
        moved = old[0] != new[0]
        told = f"{old[0] * scale:.4g} -> {new[0] * scale:.4g} in all rows" if moved else ""
        flat = {name: mean * scale for name, mean in means.items()}
        return _Moved(flat, 3 if moved else 0, beyond=bool(moved), told=told)
    variance = chance_variance(n, m, min(kept, n, m))
    difference = (means["mean_after"] - means["mean_before"]) / spread
    z = -float(ndtri(alpha / 2))
    half = z * sqrt(variance + difference**2 / (2 * (n + m - 2))) if variance else 0.0
    distance, integral = _wasserstein(old, new)
    noise = sqrt(variance) * (sqrt(2 / pi) * integral / spread + sqrt(2 * log(1 / alpha)))
    figures: dict[str, Any] = {
        **{name: mean * scale for name, mean in means.items()},
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "distance": distance / spread,
        "distance_noise": noise,
        **_bins(old * scale, new * scale),
    }
    beyond = abs(difference) > half or distance / spread > noise
    most = max(abs(difference), distance / spread)
    told = (
        f"mean {figures['mean_before']:.4g} -> {figures['mean_after']:.4g}, "
        f"{difference:+.2f} sd [{difference - half:+.2f}, {difference + half:+.2f}]"
    )
    if distance / spread > max(noise, 1.5 * abs(difference) + 0.02):
        told += f"; its shape moved: distance {distance / spread:.2f} sd, by chance {noise:.2f}"
    return _Moved(figures, _rank(most, (0.1, 0.35, 0.65)), beyond=beyond, told=told)


def _scale(old: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    """Return what to divide by, where squares would leave the range of floats; else 1."""
    largest = float(max(abs(side[place]) for side in (old, new) for place in (0, -1)))
    return largest if largest > 1e100 or 0 < largest < 1e-100 else 1.0


def _bins(old: NDArray[np.float64], new: NDArray[np.float64]) -> dict[str, tuple[float, ...]]:
    """Return the shares of both in bins of equal width, far tails aside."""
    low, high = (
        pick(side[round(q * (len(side) - 1))] for side in (old, new))
        for pick, q in ((min, 0.005), (max, 0.995))
    )
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    shares = []
    for side in (old, new):
        places = np.searchsorted(side, edges[:-1], "left")
        places = np.append(places, np.searchsorted(side, edges[-1], "right"))
        shares.append(tuple((np.diff(places) / len(side)).tolist()))
    return {"edges": tuple(edges.tolist()), "bins_before": shares[0], "bins_after": shares[1]}


def _wasserstein(old: NDArray[np.float64], new: NDArray[np.float64]) -> tuple[float, float]:
    """Return the distance, and the integral of ``sqrt(F(1 - F))`` over both."""
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    first, second = (side[(levels * len(side)).astype(np.int64)] for side in (old, new))
    middle = (first + second) / 2
    inner = np.arange(1, _LEVELS) / _LEVELS
    integral = float((np.sqrt(inner * (1 - inner)) * np.diff(middle)).sum())
    return float(np.abs(first - second).mean()), integral


def _categories(
    old: pl.Series, new: pl.Series, kept: int, alpha: float, *, personal: bool
) -> _Moved:
    n, m = len(old), len(new)
    counted = _count_both(old, new)
    p, q = counted["old"].to_numpy(), counted["new"].to_numpy()
    variance = chance_variance(n, m, min(kept, n, m))
    value = psi_of(p, q) if variance else 0.0
    freedom = max(1, len(p) - 1)
    noise = variance * float(chdtri(freedom, alpha))
    shares = (p + q) / (n + m)
    z = -float(ndtri(alpha / (2 * len(p))))
    noises = z * np.sqrt(variance * shares * (1 - shares))
    # Two shares that moved by the same differ in their last bits: then the larger comes first.
    order = np.argsort(-np.abs(q / m - p / n).round(12), kind="stable")[:_SHOWN]
    names = counted["value"].to_list()
    changes = tuple(
        CategoryChange(
            value=mask(names[i]) if personal else names[i],
            before=float(p[i] / n),
            after=float(q[i] / m),
            noise=float(noises[i]),
        )
        for i in order
        if p[i] / n != q[i] / m
    )
    beyond = value > noise
    told = [each for each in changes if beyond and abs(each.after - each.before) > each.noise][:2]
    sentence = ", ".join(f"{each.value} {each.before:.1%} -> {each.after:.1%}" for each in told)
    h = max((abs(_cohens_h(each)) for each in told), default=0.0)
    return _Moved(
        {"psi": value, "psi_noise": noise, "categories": changes},
        max(_rank(value, (0.02, 0.1, 0.25)), _rank(h, (0.1, 0.35, 0.65))),
        beyond=beyond,
        told=sentence or (f"PSI {value:.3f}, by chance {noise:.3f}" if beyond else ""),
    )


def _cohens_h(change: CategoryChange) -> float:
    return 2 * (asin(sqrt(change.after)) - asin(sqrt(change.before)))


def _count_both(old: pl.Series, new: pl.Series) -> pl.DataFrame:
    """Count rows by category in both; beyond 50, the rarer together."""
    sides = [
        side.rename("value").value_counts(name=name) for side, name in ((old, "old"), (new, "new"))
    ]
    both = sides[0].join(sides[1], on="value", how="full", coalesce=True)
    both = both.with_columns(pl.col("old", "new").fill_null(0).cast(pl.Int64))
    both = both.sort([pl.col("old") + pl.col("new"), "value"], descending=[True, False])
    if both.height <= MOST:
        return both
    rest = both.slice(MOST)
    rarer = pl.DataFrame(
        {
            "value": [f"{rest.height:,} rarer"],
            "old": [rest["old"].sum()],
            "new": [rest["new"].sum()],
        }
    )
    return pl.concat([both.head(MOST), rarer])


def _missing(before: pl.Series, after: pl.Series, same: int, alpha: float) -> _Moved:
    n, m = len(before), len(after)
    old, new = before.null_count() / max(1, n), after.null_count() / max(1, m)
    share = (before.null_count() + after.null_count()) / max(1, n + m)
    variance = chance_variance(n, m, min(same, n, m))
    z = -float(ndtri(alpha / 2))
    noise = z * sqrt(variance * share * (1 - share)) if 0 < share < 1 else 0.0
    beyond = abs(new - old) > noise and n > 0 and m > 0
    figures = {"missing_before": old, "missing_after": new, "missing_noise": noise}
    told = f"missing {old:.1%} -> {new:.1%}" if beyond else ""
    return _Moved(figures, _rank(abs(new - old), (0.01, 0.05, 0.2)), beyond=beyond, told=told)


def _times(old: pl.Series, new: pl.Series) -> _Moved:
    """Times move as data grow: what is told is where they begin and end."""
    figures: dict[str, tuple[Any, Any]] = {
        "first": (old.min(), new.min()),
        "last": (old.max(), new.max()),
    }
    parts = [
        f"{what} {a:%Y-%m-%d %H:%M} -> {b:%Y-%m-%d %H:%M}"
        for what, (a, b) in (("begins", figures["first"]), ("ends", figures["last"]))
        if a is not None and b is not None and a != b
    ]
    return _Moved(figures, 0, beyond=False, told=", ".join(parts))


def _rank(value: float, bounds: tuple[float, float, float]) -> int:
    return sum(value >= bound for bound in bounds)
