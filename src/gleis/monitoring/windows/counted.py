"""One column of two windows, counted in common bins and tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.profile import CategorySketch, NumberSketch, Sketch
from gleis.monitoring.windows.distances import wasserstein
from gleis.monitoring.windows.grid import Counts, Floats, Grid, lay_grid
from gleis.monitoring.windows.two_sample import chi2_two_sample, ks_test

_BINS = 32


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What is known of a column before it is judged."""

    kind: Literal["number", "category"]
    sketch: Sketch
    """For its bins."""
    a: Counts
    """(n_codes,) rows of the reference: missing, then by bin."""
    b: Counts
    statistic: float
    p_value: float
    wasserstein: float | None = None
    quantiles: dict[str, tuple[float, float]] = field(default_factory=dict)


def count_numbers(a: pl.Series, b: pl.Series) -> Counted:
    """Count and test numbers.

    Parameters
    ----------
    a, b : polars.Series
        Numbers or booleans; null is missing, and so is what is not finite.
    """
    x, y = _finite(a), _finite(b)
    gone = np.array([a.len() - len(x)]), np.array([b.len() - len(y)])
    if not len(x) or not len(y):
        counts = [np.append(g, len(v)) for g, v in zip(gone, (x, y), strict=True)]
        empty = NumberSketch(
            edges=(), counts=(0,), missing=0, mean=0.0, m2=0.0, low=None, high=None
        )
        nan = float("nan")
        return Counted(
            kind="number", sketch=empty, a=counts[0], b=counts[1], statistic=nan, p_value=nan
        )
    grid = lay_grid(x, y)
    statistic, p_value = ks_test(x, y, grid)
    ends, edges = _bins(grid)
    starts = np.concatenate(([0], ends[:-1]))
    binned = [np.add.reduceat(counts, starts) for counts in (grid.a, grid.b)]
    sketch = NumberSketch(
        edges=tuple(edges.tolist()), counts=(0,) * len(ends), missing=0, mean=0.0, m2=0.0,
        low=None, high=None,
    )  # fmt: skip
    return Counted(
        kind="number",
        sketch=sketch,
        a=np.concatenate((gone[0], binned[0])),
        b=np.concatenate((gone[1], binned[1])),
        statistic=statistic,
        p_value=p_value,
        wasserstein=wasserstein(x, y, grid),
        quantiles=_quantiles(x, y, grid),
    )


def count_categories(a: pl.Series, b: pl.Series) -> Counted:
    """Count and test text.

    Parameters
    ----------
    a, b : polars.Series of text; null is missing.
    """
    found = [dict(zip(*s.drop_nulls().value_counts().get_columns(), strict=True)) for s in (a, b)]
    names = tuple(sorted(found[0].keys() | found[1].keys()))
    counts = [np.array([part.get(name, 0) for name in names], dtype=np.int64) for part in found]
    statistic, p_value = chi2_two_sample(*counts)
    whole = [
        np.concatenate(([s.null_count()], c, [0])) for s, c in zip((a, b), counts, strict=True)
    ]
    return Counted(
        kind="category",
        sketch=CategorySketch(categories=names, counts=(0,) * len(names), other=0, missing=0),
        a=whole[0],
        b=whole[1],
        statistic=statistic,
        p_value=p_value,
    )


def _finite(series: pl.Series) -> Floats:
    values: Floats = series.drop_nulls().cast(pl.Float64).to_numpy()
    finite = np.isfinite(values)
    return values if finite.all() else values[finite]


def _bins(grid: Grid) -> tuple[NDArray[Any], Floats]:
    """Return the last cell (exclusive) of about equally full bins, and the edges between them."""
    passed = np.cumsum(grid.a / grid.a.sum() + grid.b / grid.b.sum()) / 2
    ends = np.unique(np.searchsorted(passed, np.arange(1, _BINS) / _BINS) + 1)
    ends = np.append(ends[ends < len(passed)], len(passed))
    edges: Floats = np.asarray(grid.low + (ends[:-1] - 1) * grid.width, dtype=np.float64)
    return ends, edges


def _quantiles(x: Floats, y: Floats, grid: Grid) -> dict[str, tuple[float, float]]:
    asked = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
    if max(len(x), len(y)) <= len(grid.a):
        found = [np.quantile(values, list(asked.values())) for values in (x, y)]
    else:
        middles = grid.middles()
        passed = [np.cumsum(counts) / counts.sum() for counts in (grid.a, grid.b)]
        found = [middles[np.searchsorted(p, list(asked.values()))] for p in passed]
    return {name: (float(p), float(q)) for name, p, q in zip(asked, *found, strict=True)}
